// Boost.JSON, compiled once for every layer.

// g++ 12 under -fsanitize sees out-of-bounds accesses in its inlined string code that are none.
#pragma GCC diagnostic ignored "-Warray-bounds"
#include <boost/json/src.hpp>
