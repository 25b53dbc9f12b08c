// Owning pointers to objects of C libraries.
#pragma once

#include <memory>

namespace nftlink::base {

template <auto Free>
struct CDeleter {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};

// c_ptr<nftnl_rule, nftnl_rule_free> frees its object with nftnl_rule_free.
template <typename T, auto Free>
using c_ptr = std::unique_ptr<T, CDeleter<Free>>;

}  // namespace nftlink::base
