// Our values as libnftnl's objects: tables, chains, sets and rules, which are few.
#pragma once

#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>

#include <string>

#include "nftlink/base/c_ptr.hpp"
#include "nftlink/nft/batch.hpp"

namespace nftlink::nft {

using TablePtr = base::c_ptr<nftnl_table, nftnl_table_free>;
using ChainPtr = base::c_ptr<nftnl_chain, nftnl_chain_free>;
using SetPtr = base::c_ptr<nftnl_set, nftnl_set_free>;
using RulePtr = base::c_ptr<nftnl_rule, nftnl_rule_free>;

TablePtr make_table(Family family, const std::string& table, const AddTable& action);
ChainPtr make_chain(Family family, const std::string& table, const Chain& chain);
SetPtr make_set(Family family, const std::string& table, const Set& set);
// Unknown expressions can't be made again: std::logic_error.
RulePtr make_rule(Family family, const std::string& table, const std::string& chain, const Rule& rule);

}  // namespace nftlink::nft
