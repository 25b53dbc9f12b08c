#include "nftlink/api/answers.hpp"

#include <algorithm>
#include <functional>
#include <iterator>

#include "place.hpp"

namespace nftlink::api {

namespace {

using Texts = Container::Texts;

Texts to_texts(const auto& items, auto to_text) {
    Texts texts;
    texts.reserve(items.size());
    std::ranges::transform(items, std::back_inserter(texts), to_text);
    return texts;
}

// Nothing for an empty list.
std::optional<Texts> to_member(const auto& items, auto to_text) {
    return items.empty() ? std::nullopt : std::optional(to_texts(items, to_text));
}

Texts addresses_of(const model::Network& network) {
    return to_texts(network.addresses, [](const model::Address& address) { return address.to_string(); });
}

}  // namespace

Container to_record(const model::Container& container) {
    Container record;
    if (container.networks.size() == 1) {
        record.bridge = container.networks.front().bridge;
        record.addresses = addresses_of(container.networks.front());
    } else {
        record.networks.emplace();
        for (const model::Network& network : container.networks)
            record.networks->emplace_back(network.bridge, addresses_of(network));
    }
    record.expose = to_member(container.expose, [](const model::Port& port) { return port.to_string(); });
    record.environment = to_member(container.environment, std::identity());
    record.links = to_member(container.links, [](const model::Link& link) { return link.child + ":" + link.alias; });
    return record;
}

Warning to_record(const base::Error& warning) {
    Warning record{warning.message};
    set_place(record, warning.where);
    return record;
}

base::Error to_error(const Warning& warning) {
    return {place_of(warning), warning.message};
}

}  // namespace nftlink::api
