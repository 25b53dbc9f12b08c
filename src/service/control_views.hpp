// The records that the control API answers with.
#pragma once

#include "changes.hpp"
#include "engine_follower.hpp"
#include "links.hpp"
#include "nftlink/api/answers.hpp"
#include "nftlink/enforce/enforcer.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "nftlink/linkenv/environment.hpp"
#include "repairs.hpp"
#include "reporter.hpp"

namespace nftlink::service {

// The answers to the control API's questions.
struct ControlParts {
    kernel::Kernel& kernel;
    enforce::Enforcer& enforcer;
    Repairs& repairs;
    Reporter& reporter;
    EngineFollower& engine;
    Changes& changes;

    const desired::State& state() const { return changes.state(); }
};

api::Status status_record(const ControlParts& parts, LinkReader& links);
api::Links links_record(const ControlParts& parts, LinkReader& links);
api::Containers containers_record(const desired::State& state);
api::Environment environment_record(const linkenv::Environment& environment);
api::Plan plan_record(const enforce::Plan& plan, const std::vector<enforce::PolicedBridge>& bridges);

}  // namespace nftlink::service
