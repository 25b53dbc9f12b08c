// The control API's description, served as /v1/openapi.json. A test holds it against the routes and the records.
#include "control_api.hpp"

namespace nftlink::service {

const std::string_view openapi_text = R"json({
"openapi": "3.1.0",
"info": {
  "title": "nftlink's control API",
  "version": ")json" NFTLINK_VERSION R"json(",
  "description": "HTTP/1.1 with JSON over nftlinkd's Unix socket, /run/nftlink/nftlink.sock unless the configuration's control.socket says otherwise: curl --unix-socket /run/nftlink/nftlink.sock http://localhost/v1/status. Callers are known by the credentials of their end of the socket. Root, the service's own user and the members of control.group may read and change; others may read if control.readers is all, and nothing otherwise. A change is done in whole or not at all, and what an answer says was changed is in the kernel and on disk by then. Readers should pass over members that they don't know.",
  "license": {"name": "GPL-2.0-or-later", "identifier": "GPL-2.0-or-later"}
},
"servers": [{"url": "http://localhost", "description": "Through the Unix socket; the host's name says nothing."}],
"paths": {
  "/v1/status": {
    "get": {
      "operationId": "getStatus", "summary": "How the service and its policy are",
      "responses": {
        "200": {"description": "The state now.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Status"}}}},
        "403": {"$ref": "#/components/responses/NotAllowed"}, "503": {"$ref": "#/components/responses/NotDone"},
        "default": {"$ref": "#/components/responses/Other"}
      }
    }
  },
  "/v1/links": {
    "get": {
      "operationId": "listLinks", "summary": "All links, with what they let pass and what has passed",
      "responses": {
        "200": {"description": "The links.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Links"}}}},
        "403": {"$ref": "#/components/responses/NotAllowed"}, "503": {"$ref": "#/components/responses/NotDone"},
        "default": {"$ref": "#/components/responses/Other"}
      }
    }
  },
  "/v1/links/{parent}/{alias}": {
    "parameters": [{"$ref": "#/components/parameters/parent"}, {"$ref": "#/components/parameters/alias"}],
    "put": {
      "operationId": "putLink", "summary": "Link a container to another",
      "description": "The parent must have come through this API; a container of the configuration's files has its links there. An alias that the parent has already leads to the new child from then on.",
      "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/LinkRecord"}, "example": {"child": "redis"}}}},
      "responses": {
        "200": {"description": "The alias was there: it leads to this child now, or did before.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/LinkChanged"}}}},
        "201": {"description": "The link is new.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/LinkChanged"}}}},
        "400": {"$ref": "#/components/responses/Malformed"}, "403": {"$ref": "#/components/responses/NotAllowed"},
        "404": {"$ref": "#/components/responses/NotFound"}, "409": {"$ref": "#/components/responses/Conflict"},
        "413": {"$ref": "#/components/responses/TooLarge"}, "422": {"$ref": "#/components/responses/Invalid"},
        "503": {"$ref": "#/components/responses/NotDone"}, "default": {"$ref": "#/components/responses/Other"}
      }
    },
    "delete": {
      "operationId": "deleteLink", "summary": "End a link",
      "responses": {
        "200": {"description": "The link is gone.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/LinkChanged"}}}},
        "403": {"$ref": "#/components/responses/NotAllowed"}, "404": {"$ref": "#/components/responses/NotFound"},
        "409": {"$ref": "#/components/responses/Conflict"}, "503": {"$ref": "#/components/responses/NotDone"},
        "default": {"$ref": "#/components/responses/Other"}
      }
    }
  },
  "/v1/containers": {
    "get": {
      "operationId": "listContainers", "summary": "All containers, and where each comes from",
      "responses": {
        "200": {"description": "The containers.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Containers"}}}},
        "403": {"$ref": "#/components/responses/NotAllowed"}, "default": {"$ref": "#/components/responses/Other"}
      }
    }
  },
  "/v1/containers/{name}": {
    "parameters": [{"$ref": "#/components/parameters/name"}],
    "put": {
      "operationId": "putContainer", "summary": "Add a container, or replace it with its links",
      "description": "The record is the whole truth: a link that isn't in it ends.",
      "requestBody": {"required": true, "content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/ContainerRecord"},
        "examples": {
          "child": {"value": {"bridge": "docker0", "addresses": ["172.17.0.2"], "expose": ["6379/tcp"], "environment": {"REDIS_VERSION": "7.2"}}},
          "parent": {"value": {"bridge": "docker0", "addresses": ["172.17.0.3"], "links": ["redis:db"]}},
          "gateway": {"value": {"networks": {"docker0": ["172.17.0.9"], "br-back": ["10.1.0.9"]}, "expose": [53, "8000-8010/udp"]}}
        }
      }}},
      "responses": {
        "200": {"description": "The container was there: it is as the record says now, or was before.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ContainerChanged"}}}},
        "201": {"description": "The container is new.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ContainerChanged"}}}},
        "400": {"$ref": "#/components/responses/Malformed"}, "403": {"$ref": "#/components/responses/NotAllowed"},
        "409": {"$ref": "#/components/responses/Conflict"}, "413": {"$ref": "#/components/responses/TooLarge"},
        "422": {"$ref": "#/components/responses/Invalid"}, "503": {"$ref": "#/components/responses/NotDone"},
        "default": {"$ref": "#/components/responses/Other"}
      }
    },
    "delete": {
      "operationId": "deleteContainer", "summary": "Remove a container and all links from and to it",
      "responses": {
        "200": {"description": "The container is gone.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ContainerChanged"}}}},
        "403": {"$ref": "#/components/responses/NotAllowed"}, "404": {"$ref": "#/components/responses/NotFound"},
        "409": {"$ref": "#/components/responses/Conflict"}, "503": {"$ref": "#/components/responses/NotDone"},
        "default": {"$ref": "#/components/responses/Other"}
      }
    }
  },
  "/v1/containers/{name}/env": {
    "parameters": [{"$ref": "#/components/parameters/name"}],
    "get": {
      "operationId": "getEnvironment", "summary": "The link variables of a parent",
      "parameters": [
        {"name": "format", "in": "query", "description": "As text instead, as nftlink env prints it: KEY=VALUE lines, export lines for a shell, one JSON object, or entries ended by NUL bytes. A value that the format can't carry is refused.", "schema": {"enum": ["env", "shell", "json", "null"]}},
        {"name": "dialect", "in": "query", "description": "In place of the configuration's env.dialect.", "schema": {"enum": ["docker-0.10", "docker-27", "docker-28"]}}
      ],
      "responses": {
        "200": {
          "description": "The variables, in Docker's order.",
          "content": {
            "application/json": {"schema": {"description": "With format=json the variables alone.", "anyOf": [{"$ref": "#/components/schemas/Environment"}, {"$ref": "#/components/schemas/Variables"}]}},
            "text/plain": {"schema": {"type": "string"}, "example": "DB_PORT=tcp://172.17.0.2:6379\n"}
          }
        },
        "400": {"$ref": "#/components/responses/Malformed"}, "403": {"$ref": "#/components/responses/NotAllowed"},
        "404": {"$ref": "#/components/responses/NotFound"}, "422": {"$ref": "#/components/responses/Invalid"},
        "default": {"$ref": "#/components/responses/Other"}
      }
    }
  },
  "/v1/containers/{name}/hosts": {
    "parameters": [{"$ref": "#/components/parameters/name"}],
    "get": {
      "operationId": "getHosts", "summary": "Where a parent's children are, as nftlink hosts prints it",
      "parameters": [
        {"name": "format", "in": "query", "description": "Lines of a hosts file, or options of docker run.", "schema": {"enum": ["hosts", "docker"]}}
      ],
      "responses": {
        "200": {"description": "One line for each link.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Hosts"}}}},
        "400": {"$ref": "#/components/responses/Malformed"}, "403": {"$ref": "#/components/responses/NotAllowed"},
        "404": {"$ref": "#/components/responses/NotFound"}, "default": {"$ref": "#/components/responses/Other"}
      }
    }
  },
  "/v1/transaction": {
    "post": {
      "operationId": "postTransaction", "summary": "Many changes at once: all of them or none",
      "description": "The deletions are done first, then containers are put, then links. Every part may be left out.",
      "requestBody": {"required": true, "content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/Transaction"},
        "example": {
          "put": {"containers": {"cache": {"bridge": "docker0", "addresses": ["172.17.0.4"], "expose": ["11211/tcp"]}},
                  "links": [{"parent": "web", "child": "cache", "alias": "mem"}]},
          "delete": {"containers": ["old"], "links": [{"parent": "web", "alias": "db"}]}
        }
      }}},
      "responses": {
        "200": {"description": "All of it is done.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Changed"}}}},
        "400": {"$ref": "#/components/responses/Malformed"}, "403": {"$ref": "#/components/responses/NotAllowed"},
        "404": {"$ref": "#/components/responses/NotFound"}, "409": {"$ref": "#/components/responses/Conflict"},
        "413": {"$ref": "#/components/responses/TooLarge"}, "422": {"$ref": "#/components/responses/Invalid"},
        "503": {"$ref": "#/components/responses/NotDone"}, "default": {"$ref": "#/components/responses/Other"}
      }
    }
  },
  "/v1/plan": {
    "get": {
      "operationId": "getPlan", "summary": "What would have to change in the kernel now; nothing, as a rule",
      "responses": {
        "200": {"description": "The difference.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Plan"}}}},
        "403": {"$ref": "#/components/responses/NotAllowed"}, "503": {"$ref": "#/components/responses/NotDone"},
        "default": {"$ref": "#/components/responses/Other"}
      }
    }
  },
  "/v1/reload": {
    "post": {
      "operationId": "postReload", "summary": "Read the configuration's files again",
      "description": "A wrong configuration is refused with all its errors, and the old one stays in force. Containers that came through this API stay. SIGHUP does the same.",
      "responses": {
        "200": {"description": "The configuration is in force.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reloaded"}}}},
        "403": {"$ref": "#/components/responses/NotAllowed"}, "422": {"$ref": "#/components/responses/Invalid"},
        "503": {"$ref": "#/components/responses/NotDone"}, "default": {"$ref": "#/components/responses/Other"}
      }
    }
  },
  "/v1/events": {
    "get": {
      "operationId": "streamEvents", "summary": "What happens from now on",
      "description": "A stream of lines, each a JSON object, that lasts until one side ends it. A reader that is too slow gets a last record, dropped, and connects again.",
      "responses": {
        "200": {"description": "The stream; the schema is that of one line.", "content": {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/Event"}}}},
        "403": {"$ref": "#/components/responses/NotAllowed"}, "default": {"$ref": "#/components/responses/Other"}
      }
    }
  },
  "/v1/openapi.json": {
    "get": {
      "operationId": "getDescription", "summary": "This description",
      "responses": {
        "200": {"description": "An OpenAPI 3.1 document.", "content": {"application/json": {"schema": {"type": "object"}}}},
        "403": {"$ref": "#/components/responses/NotAllowed"}, "default": {"$ref": "#/components/responses/Other"}
      }
    }
  },
  "/metrics": {
    "get": {
      "operationId": "getMetrics", "summary": "Metrics for Prometheus",
      "responses": {
        "200": {"description": "Prometheus' text format, version 0.0.4.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        "403": {"$ref": "#/components/responses/NotAllowed"}, "503": {"$ref": "#/components/responses/NotDone"},
        "default": {"$ref": "#/components/responses/Other"}
      }
    }
  }
},
"components": {
  "parameters": {
    "name": {"name": "name", "in": "path", "required": true, "description": "A container's name.", "schema": {"$ref": "#/components/schemas/Name"}},
    "parent": {"name": "parent", "in": "path", "required": true, "description": "The container that the link is for.", "schema": {"$ref": "#/components/schemas/Name"}},
    "alias": {"name": "alias", "in": "path", "required": true, "description": "The parent's name for the child.", "schema": {"$ref": "#/components/schemas/Name"}}
  },
  "responses": {
    "Malformed": {"description": "malformed: the request is none that can be read.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}, "example": {"code": "malformed", "message": "format is env, shell, json or null", "path": ""}}}},
    "NotAllowed": {"description": "not_allowed: this caller may not do that.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}, "example": {"code": "not_allowed", "message": "you may read, but only root and the configured group may change things", "path": ""}}}},
    "NotFound": {"description": "not_found: there is no such container or link.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}, "example": {"code": "not_found", "message": "there is no link /web/db", "path": ""}}}},
    "Conflict": {"description": "conflict: a container of the configuration's files, or an address that another container has, is in the way.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}, "example": {"code": "conflict", "message": "container 'redis' belongs to /etc/nftlink/nftlink.yaml:3:3; change it there, then reload", "path": ""}}}},
    "TooLarge": {"description": "too_large: the body is over one mebibyte.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
    "Invalid": {"description": "invalid: the request can be read, but what it asks for is wrong; every fault is listed.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
    "NotDone": {"description": "kernel_refused or not_stored: the kernel or the disk refused, or the kernel can't be read; everything is as it was.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
    "Other": {"description": "What can be wrong with any request: 404 for a path that isn't here, 405 for a method, 400, 408, 413 and 431 for HTTP itself, 500 when the service itself is in trouble.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
  },
  "schemas": {
    "Name": {"type": "string", "pattern": "^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$"},
    "LinkName": {"type": "string", "description": "/parent/alias, unique on a host.", "pattern": "^/[a-zA-Z0-9_.-]+/[a-zA-Z0-9_.-]+$"},
    "Aspect": {"enum": ["ipv4", "ipv6", "between_bridges", "other_frames", "ended_links"]},
    "Openings": {"type": "array", "items": {"type": "object", "required": ["what", "why", "chosen"], "properties": {
      "what": {"$ref": "#/components/schemas/Aspect"}, "why": {"type": "string"}, "chosen": {"type": "boolean", "description": "By the configuration."}}}},
    "Bridge": {"type": "string", "description": "A bridge's interface name.", "minLength": 1, "maxLength": 15},
    "Address": {"type": "string", "description": "IPv4 or IPv6."},
    "Port": {"type": "string", "pattern": "^[0-9]+/(tcp|udp|sctp)$"},
    "Hash": {"type": "string", "format": "uuid", "description": "The same for the same texts of the configuration's files."},
    "Generation": {"type": "integer", "minimum": 0, "description": "The number of the kernel's ruleset: every change by whomever raises it."},
    "Time": {"type": "string", "format": "date-time", "pattern": "^[0-9-]{10}T[0-9:]{8}[.][0-9]{3}Z$"},
    "Error": {
      "type": "object", "required": ["code", "message", "path"],
      "properties": {
        "code": {"type": "string", "description": "malformed, not_allowed, not_found, method_not_allowed, conflict, too_large, too_slow, invalid, kernel_refused, not_stored, internal."},
        "message": {"type": "string", "description": "For people: what is wrong and what to do."},
        "path": {"type": "string", "format": "json-pointer", "description": "The offending field in the body; empty when it is none."},
        "errors": {
          "type": "array", "description": "With several errors: all of them, the one above first.",
          "items": {"type": "object", "required": ["message", "path"], "properties": {"message": {"type": "string"}, "path": {"type": "string", "format": "json-pointer"}}}
        }
      }
    },
    "Status": {
      "type": "object",
      "required": ["schema", "version", "pid", "started", "uptime_seconds", "configuration", "containers", "containers_api", "links", "links_waiting", "sources", "in_force", "bridges", "warnings", "generation", "heals", "refused_changes", "last_heal", "last_error", "clients", "events"],
      "properties": {
        "schema": {"const": 1, "description": "The version of this record's form."},
        "version": {"type": "string"},
        "pid": {"type": "integer"},
        "started": {"$ref": "#/components/schemas/Time"},
        "uptime_seconds": {"type": "number"},
        "configuration": {
          "type": "object", "required": ["file", "hash", "loaded", "refused"],
          "properties": {
            "file": {"type": "string"},
            "hash": {"$ref": "#/components/schemas/Hash"},
            "loaded": {"$ref": "#/components/schemas/Time"},
            "refused": {
              "type": ["object", "null"], "description": "A later configuration that was refused.", "required": ["time", "errors"],
              "properties": {"time": {"$ref": "#/components/schemas/Time"}, "errors": {"type": "array", "items": {"type": "string", "description": "FILE:LINE:COLUMN: message"}}}
            }
          }
        },
        "containers": {"type": "integer"},
        "containers_api": {"type": "integer", "description": "How many of them came through this API."},
        "links": {"type": "object", "required": ["desired", "installed"], "properties": {"desired": {"type": "integer"}, "installed": {"type": "integer"}}},
        "links_waiting": {"type": "integer", "description": "Links beside those, one side of which isn't there yet, or that are over a limit."},
        "sources": {
          "type": "array", "description": "Container engines that are followed.",
          "items": {
            "type": "object", "required": ["source", "socket", "connected", "engine", "api", "since", "error", "containers", "conflicts"],
            "properties": {
              "source": {"const": "docker"},
              "socket": {"type": "string"},
              "connected": {"type": "boolean", "description": "false: what it said last stays in force."},
              "engine": {"type": "string", "description": "Docker or Podman, and its version; empty when it has never answered."},
              "api": {"type": "string", "description": "The version of its API that is spoken."},
              "since": {"$ref": "#/components/schemas/Time"},
              "error": {"type": "string", "description": "Why it isn't connected; empty when it is."},
              "containers": {"type": "integer", "description": "How many that run, on bridges that are policed, come from it."},
              "conflicts": {
                "type": "array", "description": "What of it is left out, and why.",
                "items": {"type": "object", "required": ["container", "message"], "properties": {"container": {"type": "string"}, "message": {"type": "string"}}}
              }
            }
          }
        },
        "warnings": {"type": "array", "description": "What of the configuration the kernel does not have, or what stands in its way: a chain or a bridge that isn't there, a table of nftlink's that is left since it holds what is not, rules of others above nftlink's.", "items": {"type": "string"}},
        "in_force": {"type": "boolean", "description": "Whether the kernel was made to match the last time."},
        "bridges": {
          "type": "array",
          "items": {
            "type": "object", "required": ["bridge", "icc", "routed", "present", "enforced", "reason", "closed", "open"],
            "properties": {
              "bridge": {"$ref": "#/components/schemas/Bridge"},
              "icc": {"enum": ["deny", "allow"]},
              "routed": {"enum": ["deny", "published", "allow"]},
              "present": {"type": "boolean", "description": "Whether the host has an interface of that name."},
              "enforced": {"type": "boolean", "description": "Whether nothing is open that the configuration doesn't leave open."},
              "reason": {"type": "string", "description": "Why not; empty when it is enforced."},
              "closed": {"type": "array", "items": {"$ref": "#/components/schemas/Aspect"}},
              "open": {"$ref": "#/components/schemas/Openings"}
            }
          }
        },
        "generation": {"$ref": "#/components/schemas/Generation"},
        "heals": {"type": "integer", "description": "Changes of others to our rules that were repaired."},
        "refused_changes": {"type": "integer"},
        "last_heal": {
          "type": ["object", "null"], "required": ["time", "program", "pid", "operations", "seconds", "reason"],
          "properties": {
            "time": {"$ref": "#/components/schemas/Time"},
            "program": {"type": "string", "description": "Who made the change that was repaired; empty when that is unknown."},
            "pid": {"type": "integer", "description": "0 when it is unknown."},
            "operations": {"type": "integer", "description": "0: a change of ours repaired it on the way."},
            "seconds": {"type": "number"},
            "reason": {"type": "string"}
          }
        },
        "last_error": {"type": ["object", "null"], "required": ["time", "message"], "properties": {"time": {"$ref": "#/components/schemas/Time"}, "message": {"type": "string"}}},
        "clients": {"type": "integer", "description": "Connections to the socket."},
        "events": {"type": "integer", "description": "The number of the last event."}
      }
    },
    "Links": {
      "type": "object", "required": ["links", "counters", "generation"],
      "properties": {
        "links": {"type": "array", "items": {"$ref": "#/components/schemas/Link"}},
        "counters": {"type": "boolean", "description": "Whether links count; false: packets and bytes are null."},
        "generation": {"$ref": "#/components/schemas/Generation"}
      }
    },
    "Link": {
      "type": "object", "required": ["name", "parent", "child", "alias", "bridges", "ports", "packets", "bytes", "installed", "source"],
      "properties": {
        "name": {"$ref": "#/components/schemas/LinkName"},
        "parent": {"$ref": "#/components/schemas/Name"},
        "child": {"$ref": "#/components/schemas/Name"},
        "alias": {"$ref": "#/components/schemas/Name"},
        "bridges": {"type": "array", "description": "Those that both are on.", "items": {"$ref": "#/components/schemas/Bridge"}},
        "routes": {"type": "array", "description": "Where they share none.", "items": {"type": "object", "required": ["from", "to"], "properties": {"from": {"$ref": "#/components/schemas/Bridge"}, "to": {"$ref": "#/components/schemas/Bridge"}}}},
        "ports": {"type": "array", "items": {"$ref": "#/components/schemas/Port"}},
        "packets": {"type": ["integer", "null"], "description": "From parent to child. Two aliases of one child share their counter."},
        "bytes": {"type": ["integer", "null"]},
        "installed": {"type": "boolean", "description": "Whether all its rules are in the kernel."},
        "waiting": {"type": "string", "description": "Only of a link that isn't there yet: what it waits for, or the limit that it is over."},
        "source": {"enum": ["file", "api", "docker"], "description": "Who said that there is this link."}
      }
    },
    "Containers": {
      "type": "object", "required": ["containers", "sources"],
      "properties": {
        "containers": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Container"}},
        "sources": {"type": "object", "description": "FILE:LINE:COLUMN, api or docker.", "additionalProperties": {"type": "string"}}
      }
    },
    "Container": {
      "type": "object", "description": "Empty lists are left out. On one bridge: bridge and addresses; on several: networks.",
      "oneOf": [{"required": ["bridge", "addresses"]}, {"required": ["networks"]}],
      "properties": {
        "bridge": {"$ref": "#/components/schemas/Bridge"},
        "addresses": {"type": "array", "items": {"$ref": "#/components/schemas/Address"}},
        "networks": {"type": "object", "additionalProperties": {"type": "array", "items": {"$ref": "#/components/schemas/Address"}}},
        "expose": {"type": "array", "items": {"$ref": "#/components/schemas/Port"}},
        "environment": {"type": "array", "items": {"type": "string", "description": "KEY=VALUE"}},
        "links": {"type": "array", "items": {"type": "string", "description": "child:alias"}}
      }
    },
    "ContainerRecord": {
      "type": "object", "description": "A container as it stands below containers: in the configuration, see nftlink.yaml(5). Without bridge, addresses and networks it adds to the engine's container of its name, where there is an engine.",
      "oneOf": [
        {"required": ["bridge", "addresses"]}, {"required": ["networks"]},
        {"not": {"anyOf": [{"required": ["bridge"]}, {"required": ["addresses"]}, {"required": ["networks"]}]}}
      ],
      "additionalProperties": false,
      "properties": {
        "bridge": {"$ref": "#/components/schemas/Bridge"},
        "addresses": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Address"}},
        "networks": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Address"}}},
        "expose": {"type": "array", "items": {"type": ["string", "integer"], "description": "6379, 53/udp or 8000-8010/tcp; at most 1,024 ports in all."}},
        "environment": {
          "description": "The container's own variables, which its parents see as ALIAS_ENV_KEY.",
          "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}]
        },
        "links": {"type": "array", "items": {"type": "string", "description": "child, or child:alias"}}
      }
    },
    "LinkRecord": {"type": "object", "required": ["child"], "additionalProperties": false, "properties": {"child": {"$ref": "#/components/schemas/Name"}}},
    "Transaction": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "put": {
          "type": "object", "additionalProperties": false,
          "properties": {
            "containers": {"type": "object", "propertyNames": {"$ref": "#/components/schemas/Name"}, "additionalProperties": {"$ref": "#/components/schemas/ContainerRecord"}},
            "links": {
              "type": "array",
              "items": {
                "type": "object", "required": ["parent", "child"], "additionalProperties": false,
                "properties": {
                  "parent": {"$ref": "#/components/schemas/Name"},
                  "child": {"$ref": "#/components/schemas/Name"},
                  "alias": {"$ref": "#/components/schemas/Name", "description": "The child's name when it isn't given."}
                }
              }
            }
          }
        },
        "delete": {
          "type": "object", "additionalProperties": false,
          "properties": {
            "containers": {"type": "array", "items": {"$ref": "#/components/schemas/Name"}},
            "links": {
              "type": "array",
              "items": {
                "type": "object", "required": ["parent", "alias"], "additionalProperties": false,
                "properties": {"parent": {"$ref": "#/components/schemas/Name"}, "alias": {"$ref": "#/components/schemas/Name"}}
              }
            }
          }
        }
      }
    },
    "Changed": {
      "type": "object", "required": ["changed", "ended_links", "generation"],
      "properties": {
        "changed": {"type": "boolean", "description": "false: it was so before."},
        "ended_links": {"type": "array", "description": "Links that ended along with it, since their child is gone.", "items": {"$ref": "#/components/schemas/LinkName"}},
        "generation": {"$ref": "#/components/schemas/Generation"}
      }
    },
    "LinkChanged": {"allOf": [{"$ref": "#/components/schemas/Changed"}, {"type": "object", "required": ["link"], "properties": {"link": {"$ref": "#/components/schemas/LinkName"}}}]},
    "ContainerChanged": {"allOf": [{"$ref": "#/components/schemas/Changed"}, {"type": "object", "required": ["container"], "properties": {"container": {"$ref": "#/components/schemas/Name"}}}]},
    "Reloaded": {
      "allOf": [
        {"$ref": "#/components/schemas/Changed"},
        {"type": "object", "required": ["hash", "warnings"], "properties": {"hash": {"$ref": "#/components/schemas/Hash"}, "warnings": {"type": "array", "items": {"type": "string"}}}}
      ]
    },
    "Variables": {"type": "object", "additionalProperties": {"type": "string"}},
    "Environment": {
      "type": "object", "required": ["variables", "warnings"],
      "properties": {
        "variables": {"$ref": "#/components/schemas/Variables"},
        "warnings": {"type": "array", "description": "What was left out or may surprise.", "items": {"type": "string"}}
      }
    },
    "Hosts": {"type": "object", "required": ["hosts"], "properties": {"hosts": {"type": "string", "description": "Lines, each ended by a newline."}}},
    "Plan": {
      "type": "object", "required": ["changes", "bridge_netfilter", "left_open", "warnings", "generation"],
      "properties": {
        "changes": {"type": "array", "items": {"type": "string", "description": "A command of nft."}},
        "bridge_netfilter": {"type": "array", "items": {"type": "string", "description": "A command of ip."}},
        "left_open": {"type": "array", "items": {"type": "object", "required": ["bridge", "open"], "properties": {"bridge": {"$ref": "#/components/schemas/Bridge"}, "open": {"$ref": "#/components/schemas/Openings"}}}},
        "warnings": {"type": "array", "description": "What of the configuration the kernel will not have, and what stands in its way: see Status.", "items": {"type": "string"}},
        "generation": {"$ref": "#/components/schemas/Generation"}
      }
    },
    "Event": {
      "type": "object", "required": ["seq", "time", "event"],
      "properties": {
        "seq": {"type": "integer", "minimum": 1, "description": "Rises by one from event to event while the service runs."},
        "time": {"$ref": "#/components/schemas/Time"},
        "event": {"type": "string", "description": "One of these; others may come with later versions."}
      },
      "oneOf": [
        {"required": ["link", "parent", "child", "alias", "by"], "properties": {
          "event": {"enum": ["link_added", "link_removed"]}, "link": {"$ref": "#/components/schemas/LinkName"}, "parent": {"$ref": "#/components/schemas/Name"},
          "child": {"$ref": "#/components/schemas/Name"}, "alias": {"$ref": "#/components/schemas/Name"}, "by": {"enum": ["api", "reload", "docker"]}, "reason": {"type": "string"}}},
        {"description": "Somebody changed our rules, and that was repaired.", "required": ["program", "pid", "operations", "seconds", "reason"], "properties": {
          "event": {"const": "healed"}, "program": {"type": "string"}, "pid": {"type": "integer"}, "operations": {"type": "integer"}, "seconds": {"type": "number"}, "reason": {"type": "string"}}},
        {"description": "The kernel or the disk refused a change or a repair.", "required": ["message"], "properties": {"event": {"const": "refused"}, "message": {"type": "string"}}},
        {"description": "Whether a bridge's policy is enforced, or why it isn't, is different now; or it had to be enforced again.", "required": ["bridge", "enforced", "reason"], "properties": {
          "event": {"const": "bridge"}, "bridge": {"$ref": "#/components/schemas/Bridge"}, "enforced": {"type": "boolean"}, "reason": {"type": "string"}}},
        {"required": ["hash", "changed"], "properties": {"event": {"const": "reloaded"}, "hash": {"$ref": "#/components/schemas/Hash"}, "changed": {"type": "boolean"}}},
        {"required": ["errors"], "properties": {"event": {"const": "reload_refused"}, "errors": {"type": "array", "items": {"type": "string"}}}},
        {"description": "A container engine is being followed, or no longer.", "required": ["source", "socket", "connected", "engine", "reason"], "properties": {
          "event": {"const": "source"}, "source": {"const": "docker"}, "socket": {"type": "string"}, "connected": {"type": "boolean"}, "engine": {"type": "string"}, "reason": {"type": "string"}}},
        {"description": "Something that an engine says is left out.", "required": ["container", "message"], "properties": {"event": {"const": "conflict"}, "container": {"type": "string"}, "message": {"type": "string"}}},
        {"properties": {"event": {"const": "stopping"}}},
        {"description": "The last record of a reader that was too slow.", "required": ["message", "lost"], "properties": {"event": {"const": "dropped"}, "message": {"type": "string"}, "lost": {"type": "integer"}}}
      ]
    }
  }
}
}
)json";

}  // namespace nftlink::service
