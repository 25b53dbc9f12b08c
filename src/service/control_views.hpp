// The records that the control API answers with.
#pragma once

#include <boost/json/object.hpp>

#include "keeper.hpp"
#include "nftlink/linkenv/environment.hpp"

namespace nftlink::service {

boost::json::object status_record(Keeper& keeper);
boost::json::object links_record(Keeper& keeper);
boost::json::object containers_record(const Desired& desired);
boost::json::object environment_record(const linkenv::Environment& environment);
boost::json::object plan_record(const reconcile::Plan& plan, const std::vector<reconcile::PolicedBridge>& bridges);

}  // namespace nftlink::service
