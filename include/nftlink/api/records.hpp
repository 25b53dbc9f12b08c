// What clients send to the control API.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/api/fault.hpp"

namespace nftlink::api {

struct LinkName {
    std::string parent;
    std::string alias;

    bool operator==(const LinkName&) const = default;
};

struct LinkPut {
    LinkName name;
    std::string child;
    std::string path;  // of the record in the body

    bool operator==(const LinkPut&) const = default;
};

struct ContainerPut {
    std::string name;
    std::string record;  // JSON, as it was written
    std::string path;    // of the record in the body
};

// What a client wants changed: the deletions first, then containers, then links.
struct Transaction {
    std::vector<ContainerPut> put_containers;
    std::vector<LinkPut> put_links;
    std::vector<std::string> delete_containers;
    std::vector<LinkName> delete_links;
};

// The body of POST /v1/transaction: {"put": {"containers": {NAME: {…}}, "links": [{"parent", "child", "alias"}]},
// "delete": {"containers": [NAME], "links": [{"parent", "alias"}]}}; every part may be left out. A link's alias is the
// child's name when it isn't given. All faults, not the first.
std::expected<Transaction, Faults> read_transaction(std::string_view body);

// The body of PUT /v1/links/{parent}/{alias}: {"child": NAME}.
std::expected<LinkPut, Faults> read_link(const LinkName& name, const boost::json::value& body);

// JSON text, with the place of what is no JSON in the message; at most so deep as any record here can be.
std::expected<boost::json::value, Fault> parse(std::string_view text);

}  // namespace nftlink::api
