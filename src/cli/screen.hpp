// The terminal, as something that is drawn over again and whose keys count at once.
#pragma once

#include <termios.h>

#include <chrono>
#include <cstddef>
#include <string>

#include "outlet.hpp"

namespace nftlink::cli {

// When it goes, the terminal is as it was before. What isn't a terminal, or isn't to be drawn on, is left alone.
class Screen {
public:
    Screen(Outlet& outlet, bool draws);
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    bool is_terminal() const { return is_terminal_; }
    // The lines that fit; very many when it is no terminal.
    std::size_t height() const;

    // Shows this in place of what was there, each line as far as it fits; on what is no terminal below it.
    // False when the end has come.
    bool show(const std::string& text);

    // Waits; false when the end has come, or q was pressed.
    bool wait(std::chrono::milliseconds duration);

private:
    Outlet& outlet_;
    bool is_terminal_;
    bool has_keys_ = false;
    bool is_first_ = true;
    termios before_{};
};

}  // namespace nftlink::cli
