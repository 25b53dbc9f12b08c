#include "log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

#include "nftlink/base/clock.hpp"
#include "nftlink/base/utf8.hpp"

namespace nftlink::service {

namespace {

bool as_json = false;

spdlog::level::level_enum to_spdlog(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::debug:
            return spdlog::level::debug;
        case config::LogLevel::info:
            return spdlog::level::info;
        case config::LogLevel::warning:
            return spdlog::level::warn;
        case config::LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

std::string to_json(config::LogLevel level, const std::string& message) {
    const auto name = spdlog::level::to_string_view(to_spdlog(level));
    return boost::json::serialize(boost::json::object{{"time", base::timestamp(std::chrono::system_clock::now())},
                                                      {"level", std::string_view(name.data(), name.size())},
                                                      {"message", base::utf8(message)}});
}

}  // namespace

void set_up_log(const config::LogSettings& settings) {
    as_json = settings.format == config::LogFormat::json;
    auto logger = std::make_shared<spdlog::logger>("nftlinkd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_level(to_spdlog(settings.level));
    logger->flush_on(spdlog::level::trace);
    logger->set_pattern(as_json ? "%v" : "%Y-%m-%d %H:%M:%S.%e nftlinkd %l: %v");
    spdlog::set_default_logger(std::move(logger));
}

void log(config::LogLevel level, const std::string& message) {
    if (spdlog::should_log(to_spdlog(level)))
        spdlog::log(to_spdlog(level), "{}", as_json ? to_json(level, message) : message);
}

}  // namespace nftlink::service
