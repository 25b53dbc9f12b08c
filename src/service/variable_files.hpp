// The link variables in files for those who start containers: env files and the CDI specification.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <set>
#include <string>
#include <vector>

#include "cdi_file.hpp"
#include "env_files.hpp"
#include "nftlink/desired/state.hpp"
#include "nftlink/linkenv/cdi.hpp"
#include "nftlink/state/journal.hpp"
#include "reporter.hpp"

namespace nftlink::service {

// The containers whose variables depend on those that were as `before` says: the parents of links to them too, unless
// their networks, ports and variables are what they were.
Dependents dependents_of(const desired::Before& before, const desired::State& now);

class VariableFiles {
public:
    // Both must outlive it. What can't be written, or said in a file, is told.
    VariableFiles(state::Journal& disk, Reporter& reporter) : disk_(disk), reporter_(reporter) {}

    // True when the configuration has any.
    static bool are_wanted(const desired::State& state) {
        return !state.config().env_directory.empty() || !state.config().cdi_directory.empty();
    }

    // Those of all containers, and where the configuration says: the folders may be other ones than before. Blocks.
    void write_all_now(const desired::State& state);
    // The same on the disk's thread.
    boost::asio::awaitable<void> write_all(const desired::State& state);
    // Those whose variables depend on these containers. Where some could not be written before, all are.
    boost::asio::awaitable<void> write(const desired::State& state, std::set<std::string> changed,
                                       Dependents dependents);
    // Why some files could not be written the last time; empty when all could.
    const std::string& error() const { return error_; }

private:
    struct Variables {
        std::string env_directory, cdi_directory;
        EnvTexts env = {};
        linkenv::CdiSpecification cdi = {};
    };
    static Variables all_of(const desired::State& state);
    std::vector<std::string> take_over(const Variables& variables);
    void written(const Variables& variables, std::vector<std::string> errors);

    state::Journal& disk_;
    Reporter& reporter_;
    EnvFiles env_files_;
    CdiFile cdi_file_;
    std::string error_;
};

}  // namespace nftlink::service
