#include "report.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <cstdio>

#include "nftlink/base/utf8.hpp"

namespace nftlink::cli {

using base::utf8;

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
            object["file"] = utf8(error.where.file);
        if (error.where.line != 0) {
            object["line"] = error.where.line;
            object["column"] = error.where.column;
        }
        object["message"] = utf8(error.message);
        array.push_back(std::move(object));
    }
    return array;
}

bool write(const std::string& text, FILE* stream) {
    return std::fwrite(text.data(), 1, text.size(), stream) == text.size() && std::fflush(stream) == 0;
}

}  // namespace

void Report::note(const std::string& text) {
    notes_ += text + "\n";
}

int Report::fail(const base::Error& error) {
    errors_.push_back(error);
    return failed;
}

std::string Report::messages() const {
    std::string text;
    for (const base::Error& warning : warnings_)
        text += line("warning: ", warning);
    for (const base::Error& error : errors_)
        text += line("", error);
    return text + notes_;
}

std::string Report::json() const {
    if (!replacement_.empty())
        return replacement_;
    if (!has_result_ && errors_.empty())
        return {};
    boost::json::object record{{"schema", schema_version}, {"ok", errors_.empty()}};
    for (const auto& member : record_)
        record[member.key()] = member.value();
    record["warnings"] = to_json(warnings_);
    record["errors"] = to_json(errors_);
    return boost::json::serialize(record) + "\n";
}

void Report::tell() {
    write(messages(), stderr);
    warnings_.clear();
    notes_.clear();
}

int Report::finish(int status) const {
    // A record holds its messages; what stands in a record's place can't.
    const bool in_record = as_json_ && replacement_.empty();
    const bool written = write(as_json_ ? json() : text_, stdout);
    if (!in_record)
        write(messages(), stderr);
    if (!written)
        std::perror("nftlink: cannot write the result");
    return written ? status : failed;
}

}  // namespace nftlink::cli
