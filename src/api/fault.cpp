#include "nftlink/api/fault.hpp"

#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/json/array.hpp>
#include <boost/mp11/algorithm.hpp>

#include "nftlink/base/utf8.hpp"

namespace nftlink::api {

namespace json = boost::json;
using base::utf8;

std::string_view to_string(Code code) {
    return boost::describe::enum_to_string(code, "unknown");
}

Code parse_code(std::string_view word) {
    Code code = Code::unknown;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<Code>>([&](auto each) {
        if (word == each.name)
            code = each.value;
    });
    return code;
}

json::object to_json(const Faults& faults) {
    const Fault& first = faults.front();
    json::object record{{"code", to_string(first.code)}, {"message", utf8(first.message)}, {"path", utf8(first.path)}};
    if (faults.size() > 1) {
        json::array all;
        for (const Fault& fault : faults)
            all.push_back({{"message", utf8(fault.message)}, {"path", utf8(fault.path)}});
        record["errors"] = std::move(all);
    }
    return record;
}

}  // namespace nftlink::api
