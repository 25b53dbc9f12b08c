#include "nftlink/api/fault.hpp"

#include "nftlink/api/reader.hpp"
#include "place.hpp"

namespace nftlink::api {

std::string_view to_string(Code code) {
    return boost::describe::enum_to_string(code, "unknown");
}

Code parse_code(std::string_view word) {
    Code code = Code::unknown;
    boost::describe::enum_from_string(std::string(word).c_str(), code);
    return code;
}

Fault to_fault(Code code, const base::Error& error) {
    Fault fault{code, error.to_string(), ""};
    set_place(fault, error.where);
    return fault;
}

base::Error to_error(const Fault& fault) {
    base::Position where = place_of(fault);
    const std::string beginning = base::Error{where, ""}.to_string();
    return {std::move(where),
            fault.message.starts_with(beginning) ? fault.message.substr(beginning.size()) : fault.message};
}

std::string to_text(const Faults& faults) {
    Faults all = faults;
    Refusal refusal{all.front(), {}};
    if (all.size() > 1)
        refusal.errors = std::move(all);
    return to_text(refusal);
}

Faults read_faults(const boost::json::value& body) {
    const Refusal refusal = read<Refusal>(body);
    Faults faults = refusal.errors.value_or(Faults());
    if (faults.empty())
        faults.push_back(refusal);
    std::erase_if(faults, [](const Fault& fault) { return fault.message.empty(); });
    for (Fault& fault : faults)
        if (fault.code == Code::unknown)
            fault.code = refusal.code;
    return faults;
}

}  // namespace nftlink::api
