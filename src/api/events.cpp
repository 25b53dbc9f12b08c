#include "nftlink/api/events.hpp"

#include "nftlink/api/json.hpp"

namespace nftlink::api {

namespace {

// The members that every event has, before its own.
struct Head {
    std::uint64_t seq;
    std::string_view time;
    std::string_view event;
};
BOOST_DESCRIBE_STRUCT(Head, (), (seq, time, event))

}  // namespace

std::string to_text(std::uint64_t seq, std::string_view time, const Event& event) {
    detail::Writer writer;
    std::visit(
        [&](const auto& told) {
            writer.write_members(Head{seq, time, told.name});
            writer.write_members(told);
        },
        event);
    writer.text.front() = '{';
    return std::move(writer.text) + "}";
}

}  // namespace nftlink::api
