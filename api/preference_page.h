#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "cdp/preferences.h"

// The page of the preference centre: one identifier, one purpose, two answers. Plain HTML: no
// script, nothing loaded from elsewhere, legible to screen readers and without colours. Pure.
namespace api {

enum class Language : std::uint8_t { english, korean };

// "ko"
std::string_view tag_of(Language language);

// What the reader asks for: `chosen` (the page's `lang` parameter) if it is one of ours, else the
// best of the Accept-Language field (RFC 9110 §12.5.4), else English.
Language language_for(std::string_view chosen, std::string_view accepted);

// What has just happened.
enum class PageNews : std::uint8_t { none, saved, already_sent, form_old };

struct PageTexts {
    std::string controller;  // who asks; empty: it is not said
    std::string title;       // of the purpose, in the reader's language
};

// What all pages of this kind begin and end with; the end links to the page in the other language.
std::string begin_page(std::string_view heading, Language language);
std::string end_of_page(Language language);

std::string preference_page(const cdp::Choice& preference, const PageTexts& texts,
                            Language language, PageNews news);

// The page of a link that opens nothing.
std::string dead_link_page(bool expired, Language language);

// Enough of an identifier for its owner to know it: k…@shop.example, …42.
std::string masked(std::string_view type, std::string_view value);

// The response headers of all these pages, each line ending with CRLF: kept by nobody, framed by
// nobody, told to nobody.
extern const char* const kPageHeaders;

}  // namespace api
