#include "nftlink/linkenv/cdi.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include "nftlink/base/suggestion.hpp"
#include "nftlink/base/utf8.hpp"

namespace nftlink::linkenv {

namespace {

namespace json = boost::json;

// The oldest versions that have what is used, so that old engines read it too.
constexpr std::string_view lowest_version = "0.3.0";
constexpr std::string_view version_with_digits_first = "0.5.0";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// A container's name has none but a device's characters, and begins as one; it may end otherwise.
bool is_device_name(std::string_view name) {
    return !name.empty() && !std::string_view("_.-").contains(name.back());
}

// Why an engine could not set it; empty when it can.
std::string_view fault_of(const Variable& variable) {
    const std::string entry = variable.name + "=" + variable.value;
    if (entry.contains('\0'))
        return "holds a NUL byte, which no environment can carry";
    return base::is_utf8(entry) ? "" : "is not UTF-8, which JSON cannot carry";
}

class Writer {
public:
    void add(const CdiDevice& device) {
        if (device.variables.empty())
            return;
        if (!is_device_name(device.name)) {
            result_.errors.push_back(fmt::format(
                "container {} has no CDI device: the name of one ends in a letter or digit", base::quote(device.name)));
            return;
        }
        const json::array env = entries(device);
        if (env.empty())
            return;
        digit_first_ |= is_digit(device.name.front());
        devices_ += fmt::format("{}\n{{\"name\":{},\"containerEdits\":{{\"env\":{}}}}}", devices_.empty() ? "" : ",",
                                json::serialize(json::string(device.name)), json::serialize(env));
    }

    CdiSpecification take() {
        if (!devices_.empty())
            result_.text = fmt::format("{{\"cdiVersion\":\"{}\",\"kind\":\"{}\",\"devices\":[{}\n]}}\n",
                                       digit_first_ ? version_with_digits_first : lowest_version, cdi_kind, devices_);
        return std::move(result_);
    }

private:
    json::array entries(const CdiDevice& device) {
        json::array env;
        for (const Variable& variable : device.variables)
            if (const std::string_view fault = fault_of(variable); fault.empty())
                env.emplace_back(variable.name + "=" + variable.value);
            else
                result_.errors.push_back(fmt::format("container {}: its CDI device is without {}, which {}",
                                                     base::quote(device.name), base::escape(variable.name), fault));
        return env;
    }

    CdiSpecification result_;
    std::string devices_;
    bool digit_first_ = false;
};

}  // namespace

CdiSpecification cdi_specification(std::vector<CdiDevice> devices) {
    std::ranges::sort(devices, {}, &CdiDevice::name);
    Writer writer;
    for (const CdiDevice& device : devices)
        writer.add(device);
    return writer.take();
}

bool is_cdi_specification(std::string_view text) {
    json::error_code error;
    const json::value value = json::parse(text, error);
    const json::object* object = error ? nullptr : value.if_object();
    const json::value* kind = object == nullptr ? nullptr : object->if_contains("kind");
    return kind != nullptr && kind->is_string() && std::string_view(kind->get_string()) == cdi_kind;
}

}  // namespace nftlink::linkenv
