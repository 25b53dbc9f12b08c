// The service without its sockets.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <utility>

#include "nftlink/enforce/enforcer.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "nftlink/state/journal.hpp"
#include "service/changes.hpp"
#include "service/engine_follower.hpp"
#include "service/links.hpp"
#include "service/repairs.hpp"
#include "service/reporter.hpp"
#include "service/variable_files.hpp"
#include "wait.hpp"

namespace nftlink::service {

// Its parts, as the daemon puts them together.
struct Core {
    Core(boost::asio::io_context& context, kernel::Kernel& kernel, enforce::Clock clock, const std::string& file,
         config::Loaded loaded)
        : enforcer(kernel, std::move(clock)),
          reporter(context.get_executor(), enforcer),
          repairs(context.get_executor(), kernel, enforcer, reporter),
          journal(loaded.config.state.directory),
          variables(journal, reporter),
          engine(context.get_executor(), reporter),
          changes(context.get_executor(), {enforcer, repairs, journal, reporter, variables, engine}, file,
                  std::move(loaded)),
          links(kernel, enforcer),
          context_(context) {}

    template <typename T>
    T run(boost::asio::awaitable<T> task) {
        return wait(context_, std::move(task));
    }

    enforce::Enforcer enforcer;
    Reporter reporter;
    Repairs repairs;
    state::Journal journal;
    VariableFiles variables;
    EngineFollower engine;
    Changes changes;
    LinkReader links;

private:
    boost::asio::io_context& context_;
};

}  // namespace nftlink::service
