"""The built programs: of build/release, or of the build folder that pytest's --build names."""
import pathlib

project = pathlib.Path(__file__).resolve().parents[2]
build = nftlink = nftlinkd = None


def use(folder):
    global build, nftlink, nftlinkd
    build = pathlib.Path(folder).resolve()
    nftlink, nftlinkd = build / "src" / "nftlink", build / "src" / "nftlinkd"


use(project / "build" / "release")
