#include "nftlink/config/record.hpp"

#include <utility>

#include "containers.hpp"
#include "json.hpp"

namespace nftlink::config {

std::expected<Record, base::Errors> parse_record(std::string_view json, std::string pointer, std::string_view name,
                                                 model::Unplaced unplaced) {
    Arena arena;
    Report report;
    const std::uint32_t source = report.add_json(std::move(pointer));
    const Node* record = read_json(json, source, arena, report);
    if (record == nullptr)
        return std::unexpected(report.errors());
    Node key{.kind = Kind::scalar, .place = {source, 0}, .text = name, .children = {}};
    const Node* const entry[] = {&key, record};
    const Node section{.kind = Kind::map, .place = key.place, .text = {}, .children = entry};
    StatedContainer stated = std::move(read_containers(section, unplaced, report).front());
    if (report.error_count() > 0)
        return std::unexpected(report.errors());
    Record result{.container = std::move(stated.value), .addresses = {}};
    for (const Place place : stated.addresses)
        result.addresses.push_back(report.at(place));
    return result;
}

}  // namespace nftlink::config
