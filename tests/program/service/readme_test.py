"""The commands in README's section about the service, as they stand there, against a real nftlinkd."""
import json
import os
import re
import subprocess

from support.programs import project
from support.service import Service, add_bridge

SOCKET = "/run/nftlink/nftlink.sock"  # in the README; here it is another one, and that is all that is replaced
README = project / "README.md"


def commands():
    """The commands in the section's blocks of sh; one with an open quote or a backslash at a line's end goes on."""
    (section,) = re.findall(r"^## The service\n(.*?)^## ", README.read_text(), re.M | re.S)
    found, command = [], ""
    for line in "".join(re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)).splitlines():
        if command == "" and (line == "" or line.startswith("#")):
            continue
        command += line + "\n"
        if command.count("'") % 2 == 0 and not line.endswith("\\"):
            found.append(command)
            command = ""
    assert command == "", f"has no end: {command}"
    return found


def run_all(place, socket):
    """Runs all commands in one shell, and gives what each printed. For curl every answer but a 2xx is a failure."""
    place.write("fail-with-body\nsilent\nshow-error\n", ".curlrc")
    status = f"curl --unix-socket {socket} http://localhost/v1/status"
    script, outputs = "set -e\n", []
    for command in commands():
        outputs.append(place.folder / f"output{len(outputs)}")
        script += f"exec >{outputs[-1]} 2>&1\n{command.replace(SOCKET, str(socket))}"
        if command.endswith("&\n"):  # a person takes longer to the next line than this one to begin
            script += f"until {status} | grep -qE '\"clients\":2[,}}]'; do sleep 0.05; done\n"
    done = subprocess.run(["bash", "-c", script], timeout=60, check=False,
                          env={**os.environ, "CURL_HOME": str(place.folder)})
    texts = [path.read_text() for path in outputs if path.exists()]
    assert done.returncode == 0, f"status {done.returncode}: {commands()[len(texts) - 1]}{texts[-1]}"
    return dict(zip(commands(), texts))


def by_path(texts):
    """What was printed, by the called path."""
    return {re.search(r"http://localhost([^ '\n]*)", command)[1] + (" -X DELETE" if "DELETE" in command else ""): text
            for command, text in texts.items() if command.startswith("curl")}


def test_every_command_of_the_readme_works(place):
    add_bridge()
    service = Service(place, "bridges: {docker0: {icc: deny}}\n")
    service.client.connection.close()
    said = by_path(run_all(place, service.socket))
    assert [link["name"] for link in json.loads(said["/v1/links"])["links"]] == ["/web/db"], said["/v1/links"]
    assert said["/v1/containers/web/env?format=env"].startswith("DB_PORT=tcp://172.17.0.2:6379\n"), said
    assert json.loads(said["/v1/transaction"])["changed"] is True, said["/v1/transaction"]
    assert json.loads(said["/v1/containers/cache -X DELETE"])["ended_links"] == ["/web/mem"], said
    assert json.loads(said["/v1/reload"])["changed"] is False, said["/v1/reload"]
    assert "nftlink_links_desired 0\n" in said["/metrics"], said["/metrics"]
    assert json.loads(said["/v1/openapi.json"])["openapi"] == "3.1.0"
    events = [json.loads(line) for line in said["/v1/events"].splitlines()]
    links = [(event["event"], event["link"]) for event in events if event["event"].startswith("link_")]
    assert links == [("link_added", "/web/db"), ("link_removed", "/web/db"), ("link_added", "/web/mem"),
                     ("link_removed", "/web/mem")], said["/v1/events"]
    assert service.stop()[0] == 0, service.log()
