#pragma once

#include "api/message.h"
#include "api/services.h"

// What the routes of protocols do by which others bring people's requests.
namespace api {

// drp.cc
void exercise_data_right(const Services& services, const Request& request, Answer answer);
Response read_data_right(const Services& services, const Request& request);
void revoke_data_right(const Services& services, const Request& request, Answer answer);
void set_agent_up(const Services& services, const Request& request, Answer answer);
Response read_agent(const Services& services, const Request& request);

// opendsr_discovery.cc
void discover_opendsr(const Services& services, const Request& request, Answer answer);
void opendsr_certificate(const Services& services, const Request& request, Answer answer);

// opendsr_requests.cc
void submit_opendsr(const Services& services, const Request& request, Answer answer);
Response read_opendsr(const Services& services, const Request& request);
void cancel_opendsr(const Services& services, const Request& request, Answer answer);

// iab.cc
void discover_iab(const Services& services, const Request& request, Answer answer);
void delete_for_iab(const Services& services, const Request& request, Answer answer);

}  // namespace api
