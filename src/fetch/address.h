#pragma once

#include <string>

namespace tagclip {

// http:// or https:// and a host.
bool is_web_address(const std::string& url);

// Why a server at `from` may not send us to `to`; empty where it may.
std::string why_not_follow(const std::string& from, const std::string& to);

// For messages: without a user's name and password and without the query, which may hold secrets.
std::string printable(const std::string& url);

}  // namespace tagclip
