// The kernel's netlink headers in the one order that compiles: <netinet/in.h> first.
#pragma once

// clang-format off
#include <netinet/in.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_tables.h>
// clang-format on
