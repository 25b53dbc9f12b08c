// Why there is no answer of the service, in words.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "nftlink/api/fault.hpp"

namespace nftlink::cli {

// The faults that the service names, or the reason why it can't be asked.
using api::Faults;

// The facts that the words depend on.
struct Trouble {
    std::string socket;
    std::chrono::milliseconds deadline{0};
    bool is_change = false;  // something may have been done although there is no answer

    api::Fault connecting(int error_number) const;
    api::Fault too_late() const;
    api::Fault cut() const;
    // Of a stream, which is endless by itself.
    api::Fault ended() const;
    api::Fault not_understood(std::string_view why) const;
};

// The user wants no answer any more.
api::Fault stopped();

// The faults in an answer of this status that is no success.
Faults faults_in(unsigned status, std::string_view body);

}  // namespace nftlink::cli
