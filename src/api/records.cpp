#include "nftlink/api/records.hpp"

#include <boost/json/array.hpp>

#include "nftlink/base/utf8.hpp"

namespace nftlink::api {

namespace json = boost::json;
using base::utf8;

namespace {

json::array addresses_of(const model::Network& network) {
    json::array array;
    for (const model::Address& address : network.addresses)
        array.emplace_back(address.to_string());
    return array;
}

}  // namespace

json::object to_json(const std::vector<Fault>& faults) {
    const Fault& first = faults.front();
    json::object record{{"code", first.code}, {"message", utf8(first.message)}, {"path", utf8(first.path)}};
    if (faults.size() > 1) {
        json::array all;
        for (const Fault& fault : faults)
            all.push_back({{"message", utf8(fault.message)}, {"path", utf8(fault.path)}});
        record["errors"] = std::move(all);
    }
    return record;
}

json::object to_json(const model::Container& container) {
    json::object record;
    if (container.networks.size() == 1) {
        record["bridge"] = container.networks.front().bridge;
        record["addresses"] = addresses_of(container.networks.front());
    } else {
        json::object networks;
        for (const model::Network& network : container.networks)
            networks[network.bridge] = addresses_of(network);
        record["networks"] = std::move(networks);
    }
    json::array expose, environment, links;
    for (const model::Port& port : container.expose)
        expose.emplace_back(port.to_string());
    for (const std::string& entry : container.environment)
        environment.emplace_back(utf8(entry));
    for (const model::Link& link : container.links)
        links.emplace_back(link.child + ":" + link.alias);
    for (auto& [key, list] :
         {std::pair{"expose", &expose}, std::pair{"environment", &environment}, std::pair{"links", &links}})
        if (!list->empty())
            record[key] = std::move(*list);
    return record;
}

}  // namespace nftlink::api
