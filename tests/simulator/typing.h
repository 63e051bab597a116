#pragma once

#include <string>

#include "tests/simulator/generator.h"

// How an address or a number gets into an event: typed with mistakes, made up, written in the form
// each source prefers.
namespace simulator {

// Writes what a person with this address types into the event.
void type_email(Dice& dice, const Population& all, std::string email, SimEvent& event);
void type_phone(Dice& dice, std::string phone, SimEvent& event);

// Writes what a system has on record: no mistakes, its own form.
void record_email(Dice& dice, std::string email, SimEvent& event);
void record_phone(Dice& dice, std::string phone, SimEvent& event);

// SHA-256 in lower-case hexadecimal.
std::string sha256(const std::string& text);

}  // namespace simulator
