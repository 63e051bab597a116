#pragma once

#include <string>

#include "api/message.h"
#include "api/preference_page.h"
#include "api/services.h"

// What the pages that people open have in common.
namespace api {

Response html_page(int status, std::string html, Language language);

// By the parameter `lang`, else what the browser asks for.
Language language_of(const Request& request);

// scheme://host[:port] of ours. Over http where we are told nothing else: loopback, or a proxy that
// must say who it is.
std::string own_place(const Services& services, const Request& request);

}  // namespace api
