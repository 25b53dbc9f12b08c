// The common part of the verbs that talk to the service.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <vector>

#include "client.hpp"
#include "nftlink/config/config.hpp"
#include "report.hpp"
#include "request.hpp"

namespace nftlink::cli {

// Of the service that the configuration says is there.
Client client_of(const Request& request, int stop = -1);

// The answer to GET /v1/links, with a list of links in it.
Answer get_links(const Client& client);

// The name of a field of the body, by its JSON pointer, where the user wrote it.
using FieldWords = std::function<std::string(const std::string& path)>;

// The pointer without its first slash.
std::string plain_field(const std::string& path);

// Puts everything that is wrong into the report. Gives the exit status.
int refuse(const Faults& faults, Report& report, const FieldWords& field = plain_field);

// Puts the record's fields into the report's record, but for those that every record of the command has.
void take_over(const boost::json::object& record, Report& report);

void pass_on(const std::vector<std::string>& warnings, Report& report);

}  // namespace nftlink::cli
