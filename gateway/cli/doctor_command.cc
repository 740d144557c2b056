#include <iostream>
#include <memory>
#include <string>

#include "gateway/cli/commands.h"
#include "gateway/cli/doctor/database_checks.h"
#include "gateway/cli/doctor/exchange_checks.h"
#include "gateway/cli/doctor/machine_checks.h"
#include "gateway/cli/serve.h"
#include "settlement/store/conninfo.h"

namespace warpbook::gateway {
namespace {

struct DoctorArguments {
  ServeOptions options;
  std::string database, database_file;
};

const char* WordOf(Severity severity) {
  switch (severity) {
    case Severity::kGood:
      return "ok     ";
    case Severity::kWarning:
      return "warning";
    case Severity::kFault:
      break;
  }
  return "FAULT  ";
}

void CheckLedger(const DoctorArguments& arguments, Findings& findings) {
  if (arguments.database.empty() && arguments.database_file.empty()) {
    return findings.Warn("postgresql",
                         "Not looked at: say where it is with --database or --database-file.");
  }
  const auto conninfo = settlement::ResolveConninfo(arguments.database, arguments.database_file);
  if (!conninfo.ok()) {
    return findings.Fault("postgresql", std::string(conninfo.status().message()));
  }
  CheckDatabase(*conninfo, findings);
}

int Run(const DoctorArguments& arguments) {
  Findings findings;
  CheckMachine(findings);
  CheckExchange(arguments.options, findings);
  CheckLedger(arguments, findings);
  int faults = 0, warnings = 0;
  for (const Finding& finding : findings.all()) {
    std::cout << WordOf(finding.severity) << "  " << finding.topic << ": " << finding.sentence
              << "\n";
    if (finding.severity == Severity::kFault) ++faults;
    if (finding.severity == Severity::kWarning) ++warnings;
  }
  std::cout << "\n"
            << "faults: " << faults << ", warnings: " << warnings << "\n";
  return faults == 0 ? kExitOk : kExitFailed;
}

}  // namespace

void AddDoctorCommand(Command& root) {
  const auto arguments = std::make_shared<DoctorArguments>();
  Command doctor = root.Add(
      "doctor", "Tell what is wrong with this installation; status 1 where there is a fault");
  AddServeOptions(doctor, arguments->options);
  doctor
      .Text("--database", arguments->database,
            "PostgreSQL's connection string, as settlement has it")
      .Environment("WARPBOOK_DATABASE");
  doctor.Text("--database-file", arguments->database_file, "A file that holds it instead")
      .Environment("WARPBOOK_DATABASE_FILE");
  doctor.OnRun([arguments] { return Run(*arguments); });
}

}  // namespace warpbook::gateway
