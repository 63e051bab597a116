#pragma once

// What people may ask of the data that are held of them, and what is done about it: each part's own
// header says what it promises.
namespace cdp {

class Agents;
class ErasureCertificates;
class Erasures;
class HashSearch;
class OwnSecrets;
class PrivacyRequests;
class PrivacyRunner;
class Rectifications;
class Retentions;
class SubjectReports;
class Suppressions;

struct Privacy {
    const Erasures& erasures;
    const ErasureCertificates& certificates;
    const Suppressions& suppressions;
    PrivacyRequests& requests;
    PrivacyRunner& runner;
    const OwnSecrets& secrets;
    const HashSearch& hashes;
    const SubjectReports& reports;
    const Retentions& retentions;
    Agents& agents;
    const Rectifications& rectifications;
};

}  // namespace cdp
