#include "nftlink/api/events.hpp"

#include "nftlink/api/json.hpp"
#include "nftlink/api/reader.hpp"

namespace nftlink::api {

namespace {

// The members that every event has, before its own.
struct Head {
    std::uint64_t seq;
    std::string_view time;
    std::string_view event;
};
BOOST_DESCRIBE_STRUCT(Head, (), (seq, time, event))

// Those of them that a reader needs.
struct Name {
    std::string time, event;
};
BOOST_DESCRIBE_STRUCT(Name, (), (time, event))

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

std::optional<Told> read_event(const boost::json::value& record) {
    const Name name = read<Name>(record);
    std::optional<Told> told;
    boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, Event>>(
        [&]<typename T>(std::type_identity<T>) {
            if (name.event == T::name)
                told = Told{name.time, read<T>(record)};
        });
    return told;
}

}  // namespace nftlink::api
