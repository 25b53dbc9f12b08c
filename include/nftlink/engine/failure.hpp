// The reason why an engine has not answered a question.
#pragma once

#include <string>

namespace nftlink::engine {

struct Failure {
    enum class Kind {
        connection,  // there is none, or what came over it is no answer; `text` is a sentence
        missing,     // the engine has no such thing (404); `text`: what was asked for
        refused,     // the engine says no; `text`: its words, perhaps none
    };
    Kind kind = Kind::connection;
    unsigned status = 0;  // HTTP's, of an answer
    std::string text = {};
};

// For people, with the engine's words escaped.
std::string sentence(const Failure& failure);

}  // namespace nftlink::engine
