// The fields of records that came from outside. What is missing or of another kind counts as not there.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nftlink::cli {

// Valid for as long as the value it was made of.
class Fields {
public:
    explicit Fields(const boost::json::object& record) : record_(&record) {}
    // Without any field when the value is no object.
    explicit Fields(const boost::json::value& value);

    bool has(std::string_view key) const { return value(key) != nullptr; }
    // Fit for a terminal, on one line; empty when it isn't there.
    std::string text(std::string_view key) const;
    // `text(key)`, or the other one when that is empty.
    std::string text(std::string_view key, std::string_view otherwise) const;
    std::optional<std::uint64_t> number(std::string_view key) const;
    // The number in words; `?` when it isn't there.
    std::string number_text(std::string_view key) const;
    std::optional<double> real(std::string_view key) const;
    bool flag(std::string_view key) const;
    Fields record(std::string_view key) const;
    const boost::json::array& list(std::string_view key) const;
    // The list's texts, as text() gives them.
    std::vector<std::string> texts(std::string_view key) const;

private:
    // Null when it isn't there, or is null.
    const boost::json::value* value(std::string_view key) const;

    const boost::json::object* record_;
};

}  // namespace nftlink::cli
