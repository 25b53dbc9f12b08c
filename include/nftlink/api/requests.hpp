// The bodies that clients send to the control API.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/json/value.hpp>
#include <expected>
#include <optional>
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
BOOST_DESCRIBE_STRUCT(LinkName, (), (parent, alias))

// The body of PUT /v1/links/{parent}/{alias}.
struct LinkBody {
    std::string child;
};
BOOST_DESCRIBE_STRUCT(LinkBody, (), (child))

// A link in the body of POST /v1/transaction.
struct LinkRecord {
    std::string parent, child;
    std::optional<std::string> alias;  // the child's name when it isn't given
};
BOOST_DESCRIBE_STRUCT(LinkRecord, (), (parent, child, alias))

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

// The change that a client wants: the deletions first, then containers, then links.
struct Transaction {
    std::vector<ContainerPut> put_containers;
    std::vector<LinkPut> put_links;
    std::vector<std::string> delete_containers;
    std::vector<LinkName> delete_links;
};

// The body of POST /v1/transaction: {"put": {"containers": {NAME: {…}}, "links": [LinkRecord]}, "delete":
// {"containers": [NAME], "links": [LinkName]}}; every part may be left out. All faults, not the first.
std::expected<Transaction, Faults> read_transaction(std::string_view body);

std::expected<LinkPut, Faults> read_link(const LinkName& name, const boost::json::value& body);

// JSON text, with the place of what is no JSON in the message; at most so deep as any record here can be.
std::expected<boost::json::value, Fault> parse(std::string_view text);

}  // namespace nftlink::api
