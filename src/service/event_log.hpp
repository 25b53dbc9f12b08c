// The events, for those who watch: numbered records, the last of which are kept for whoever hasn't read them yet.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>

#include "nftlink/api/events.hpp"
#include "nftlink/http/stream.hpp"

namespace nftlink::service {

class EventLog {
public:
    explicit EventLog(const boost::asio::any_io_executor& executor);

    // Gives the event its number and the time, and hands it on.
    void publish(const api::Event& event);
    // All records from now on, as lines of JSON. Who is so slow that the next record for it isn't kept any more gets
    // one last record that says so, and no more.
    std::unique_ptr<http::Stream> subscribe();
    // Ends all streams, after what they still have to say.
    void close();

    std::uint64_t last_number() const;

private:
    struct Records;
    class Subscription;

    std::shared_ptr<Records> records_;  // with the subscribers
};

}  // namespace nftlink::service
