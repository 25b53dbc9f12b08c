#include "report.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <cstdio>

namespace nftlink::cli {

namespace {

constexpr int schema_version = 1;

// Messages with a place stand alone, as compilers write them; the others say who speaks.
std::string line(std::string_view kind, const base::Error& error) {
    const std::string who = error.where.file.empty() ? "nftlink" : error.where.to_string();
    return fmt::format("{}: {}{}\n", who, kind, error.message);
}

boost::json::array to_json(const base::Errors& errors) {
    boost::json::array array;
    for (const base::Error& error : errors) {
        boost::json::object object;
        if (!error.where.file.empty())
            object["file"] = error.where.file;
        if (error.where.line != 0) {
            object["line"] = error.where.line;
            object["column"] = error.where.column;
        }
        object["message"] = error.message;
        array.push_back(std::move(object));
    }
    return array;
}

bool write_out(const std::string& text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

}  // namespace

void Report::note(const std::string& text) {
    notes_ += text + "\n";
}

int Report::fail(const base::Error& error) {
    errors_.push_back(error);
    return failed;
}

int Report::finish(int status) const {
    std::string messages;
    if (!as_json_ || !replacement_.empty()) {
        for (const base::Error& warning : warnings_)
            messages += line("warning: ", warning);
        for (const base::Error& error : errors_)
            messages += line("", error);
        messages += notes_;
    }
    std::string result = as_json_ ? replacement_ : text_;
    if (as_json_ && replacement_.empty()) {
        boost::json::object record{{"schema", schema_version}, {"ok", errors_.empty()}};
        for (const auto& member : record_)
            record[member.key()] = member.value();
        record["warnings"] = to_json(warnings_);
        record["errors"] = to_json(errors_);
        result = boost::json::serialize(record) + "\n";
    }
    const bool written = write_out(result);
    std::fwrite(messages.data(), 1, messages.size(), stderr);
    if (!written)
        std::perror("nftlink: cannot write the result");
    return written ? status : failed;
}

}  // namespace nftlink::cli
