// Boost.JSON, compiled once for every layer.
#include <boost/json/src.hpp>
