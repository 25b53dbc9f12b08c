// The output of a verb, for people or as one JSON record.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "nftlink/base/error.hpp"

namespace nftlink::cli {

// The exit statuses, a contract.
inline constexpr int done = 0, failed = 1, different = 2, wrong_usage = 64;

class Report {
public:
    explicit Report(bool as_json) : as_json_(as_json) {}

    // Text for stdout, shown to people only.
    void print(const std::string& text) { text_ += text; }
    // A fact for the JSON record.
    boost::json::object& record() { return record_; }
    // Text that takes the record's place on stdout, when the verb has a JSON form of its own.
    void replace_record(std::string text) { replacement_ = std::move(text); }

    // For a verb that writes its results itself, as they come: in place of a record there is nothing, unless it failed.
    void leave_out_result() { has_result_ = false; }

    // A remark for people on stderr that is no result.
    void note(const std::string& text);
    void warn(const base::Error& warning) { warnings_.push_back(warning); }
    void warn(const std::string& warning) { warnings_.push_back({{}, warning}); }
    int fail(const base::Error& error);
    int fail(const std::string& error) { return fail(base::Error{{}, error}); }

    // Writes warnings and remarks to stderr now, as for people, for a verb whose stdout becomes another's.
    void tell();
    // Writes everything out; `status` is given back, or 1 when stdout can't be written.
    int finish(int status) const;

private:
    std::string messages() const;
    std::string json() const;

    bool as_json_;
    bool has_result_ = true;
    std::string text_;
    std::string notes_;
    boost::json::object record_;
    std::string replacement_;
    base::Errors warnings_;
    base::Errors errors_;
};

}  // namespace nftlink::cli
