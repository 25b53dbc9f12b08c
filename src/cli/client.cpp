#include "client.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <exception>
#include <optional>
#include <system_error>

#include "nftlink/api/requests.hpp"
#include "nftlink/http/client.hpp"

namespace nftlink::cli {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

// Far above what a host with a million links has to say.
constexpr std::size_t max_answer_bytes = std::size_t{512} << 20;
constexpr std::size_t max_line_bytes = std::size_t{1} << 20;

http::Question make_question(std::string_view method, const std::string& target, const json::object& body) {
    return {.method = std::string(method),
            .target = target,
            .host = "nftlink",
            .agent = "nftlink/" NFTLINK_VERSION,
            .json = body.empty() ? "" : json::serialize(body)};
}

bool is_success(unsigned status) {
    return status >= 200 && status < 300;
}

// One question and its answer, waited for until `stop` can be read.
class Exchange {
public:
    Exchange(const Trouble& trouble, int stop)
        : trouble_(trouble), client_(context_.get_executor(), trouble.socket), stop_(context_) {
        client_.set_deadline(trouble.deadline);
        if (stop < 0)
            return;
        const int copy = ::dup(stop);
        if (copy < 0)
            throw std::system_error(errno, std::generic_category(), "dup");
        stop_.assign(copy);
        stop_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
            if (!error)
                client_.close();
        });
    }
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    Answer ask(http::Question question) { return run(answer(std::move(question))); }

    std::expected<void, Faults> stream(http::Question question, const std::function<bool(std::string_view)>& take) {
        return run(lines(std::move(question), take));
    }

private:
    template <typename Result>
    Result run(asio::awaitable<Result> work) {
        std::exception_ptr failure;
        std::optional<Result> result;
        asio::co_spawn(context_, std::move(work), [&](std::exception_ptr thrown, std::optional<Result> value) {
            failure = thrown;
            result = std::move(value);
        });
        while (failure == nullptr && !result)
            context_.run_one();
        if (failure != nullptr)
            std::rethrow_exception(failure);
        return std::move(*result);
    }

    asio::awaitable<Answer> answer(http::Question question) {
        const auto status = co_await begin(std::move(question));
        if (!status)
            co_return std::unexpected(status.error());
        const auto body = co_await client_.receive_body(max_answer_bytes);
        if (!body)
            co_return faults(body.error());
        if (!is_success(*status))
            co_return std::unexpected(faults_in(*status, *body));
        auto record = api::parse(*body);
        if (!record || !record->is_object())
            co_return std::unexpected(Faults{trouble_.not_understood("no JSON record")});
        co_return Reply{*status, std::move(record->get_object())};
    }

    // Only until the answer begins there is a deadline.
    asio::awaitable<std::expected<void, Faults>> lines(http::Question question,
                                                       const std::function<bool(std::string_view)>& take) {
        const auto status = co_await begin(std::move(question));
        if (!status && status.error() == Faults{stopped()})
            co_return std::expected<void, Faults>();
        if (!status)
            co_return std::unexpected(status.error());
        if (!is_success(*status)) {
            const auto body = co_await client_.receive_body(max_line_bytes);
            if (!body)
                co_return faults(body.error());
            co_return std::unexpected(faults_in(*status, *body));
        }
        client_.lift_deadline();
        while (true) {
            const auto line = co_await client_.receive_line(max_line_bytes);
            if (!line && line.error().kind == http::Failure::Kind::closed)
                co_return std::expected<void, Faults>();
            if (!line)
                co_return faults(line.error());
            if (!*line)
                co_return std::unexpected(Faults{trouble_.ended()});
            if (!take(**line))
                co_return std::expected<void, Faults>();
        }
    }

    asio::awaitable<std::expected<unsigned, Faults>> begin(http::Question question) {
        if (const auto sent = co_await client_.send(std::move(question)); !sent)
            co_return faults(sent.error());
        const auto status = co_await client_.receive_head();
        if (!status)
            co_return faults(status.error());
        co_return *status;
    }

    std::unexpected<Faults> faults(const http::Failure& failure) const {
        switch (failure.kind) {
            case http::Failure::Kind::unreachable:
                return std::unexpected(Faults{trouble_.connecting(failure.error_number)});
            case http::Failure::Kind::late:
                return std::unexpected(Faults{trouble_.too_late()});
            case http::Failure::Kind::cut:
                return std::unexpected(Faults{trouble_.cut()});
            case http::Failure::Kind::closed:
                return std::unexpected(Faults{stopped()});
            case http::Failure::Kind::too_large:
            case http::Failure::Kind::not_http:
            case http::Failure::Kind::system:
                break;
        }
        return std::unexpected(Faults{trouble_.not_understood(failure.text)});
    }

    Trouble trouble_;
    asio::io_context context_{1};
    http::Client client_;
    asio::posix::stream_descriptor stop_;
};

}  // namespace

Client::Client(std::string socket, int stop, Deadlines deadlines)
    : socket_(std::move(socket)), stop_(stop), deadlines_(deadlines) {}

Answer Client::get(const std::string& target) const {
    return Exchange({socket_, deadlines_.reading, false}, stop_).ask(make_question("GET", target, {}));
}

Answer Client::change(std::string_view method, const std::string& target, const json::object& body) const {
    return Exchange({socket_, deadlines_.changing, true}, stop_).ask(make_question(method, target, body));
}

std::expected<void, Faults> Client::stream(const std::string& target,
                                           const std::function<bool(std::string_view line)>& take) const {
    return Exchange({socket_, deadlines_.reading, false}, stop_).stream(make_question("GET", target, {}), take);
}

std::string segment(std::string_view text) {
    static constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    std::string encoded;
    for (const char c : text)
        encoded += plain.find(c) != std::string_view::npos
                       ? std::string(1, c)
                       : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    return encoded;
}

}  // namespace nftlink::cli
