#!/usr/bin/python3
"""The scripts of deploy/: options that are wrong, and the functions that the scripts share, run in
bash with programs of our own."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import unittest

from script_test_case import ROOT, SUPERVISOR, ScriptTestCase, run


class OptionsTest(unittest.TestCase):
    """Wrong options end deploy/run before it touches anything."""

    def test_a_wrong_option_is_named_and_the_status_is_2(self):
        wrong = {
            ("--frsh",): "unknown option --frsh",
            ("extra",): "unknown option extra",
            ("--seconds",): "--seconds needs a value",
            ("--seconds", "0"): '--seconds takes a whole number from 1 to 999999999, not "0"',
            ("--seconds", "-5"): '--seconds takes a whole number from 1 to 999999999, not "-5"',
            ("--seconds", "1.5"): '--seconds takes a whole number from 1 to 999999999, not "1.5"',
            ("--seconds", "9" * 30):
                f'--seconds takes a whole number from 1 to 999999999, not "{"9" * 30}"',
            ("--seconds", "1;id"): '--seconds takes a whole number from 1 to 999999999, not "1;id"',
            ("--port", "65536"): '--port takes a whole number from 1 to 65535, not "65536"',
            ("--port", "x"): '--port takes a whole number from 1 to 65535, not "x"',
            ("--port", "65535"): "the admin port 65536 is no other port",
            ("--port", "7400", "--admin-port", "7400"): "the admin port 7400 is no other port",
            ("--reports-port", "7401"): "the reports' port 7401 is no other port",
            ("--port", "65534"): "the reports' port 65536 is no other port",
            ("--clock-factor", "0"): '--clock-factor takes a whole number from 1 to 3600, not "0"',
            ("--observe", "--observe-port", "0"): '--observe-port takes a whole number from 1 to 65535, not "0"',
            ("--observe", "--grafana-port"): "--grafana-port needs a value",
            ("--observe-port", "9091"): "--observe-port and --grafana-port go with --observe",
            ("--grafana-port", "3001"): "--observe-port and --grafana-port go with --observe",
            ("--observe", "--observe-port", "7402"): "Prometheus's port 7402 is no other port",
            ("--observe", "--port", "9089"): "Prometheus's port 9090 is no other port",
            ("--observe", "--grafana-port", "9090"): "Grafana's port 9090 is no other port",
            ("--observe", "--admin-port", "3000"): "Grafana's port 3000 is no other port",
        }
        for arguments, message in wrong.items():
            with self.subTest(arguments=arguments):
                ended = run([f"{ROOT}/deploy/run", *arguments])
                self.assertEqual(ended.returncode, 2, ended)
                self.assertEqual(ended.stderr.split("\n")[0], f"deploy/run: {message}")
                self.assertEqual(ended.stdout, "")

    def test_help_describes_every_option(self):
        ended = run([f"{ROOT}/deploy/run", "--help"])
        self.assertEqual(ended.returncode, 0)
        for option in ("--fresh", "--seconds", "--port", "--admin-port", "--reports-port", "--clock-factor",
                       "--no-demo", "--observe", "--observe-port", "--grafana-port"):
            self.assertIn(option, ended.stdout)

    def test_a_seed_that_is_none_ends_the_economics_before_anything_is_built(self):
        for arguments in (("--sav",), ("-1",), ("1", "2"), ("--save", "x")):
            with self.subTest(arguments=arguments):
                ended = run([f"{ROOT}/deploy/dev/economics", *arguments])
                self.assertEqual(ended.returncode, 1, ended)
                self.assertEqual(ended.stderr, "deploy/dev/economics: usage: deploy/dev/economics "
                                               "[--save] [seed, a whole number]\n")
                self.assertEqual(ended.stdout, "")


class FunctionsTest(ScriptTestCase):
    # -- deploy/dev/lib.sh

    def test_every_package_has_a_known_group_and_stands_once(self):
        with open(f"{ROOT}/deploy/dev/packages", encoding="utf-8") as file:
            rows = [line.split("#")[0].split() for line in file]
        rows = [row for row in rows if row]
        self.assertTrue(all(len(row) == 2 for row in rows), rows)
        self.assertEqual({group for group, _ in rows}, {"build", "run", "observe", "test", "dev"})
        names = [name for _, name in rows]
        self.assertEqual(len(names), len(set(names)))
        listed = self.bash("packages_of build run observe test dev").stdout.split()
        self.assertEqual(listed, names)

    def test_missing_packages_are_those_that_dpkg_does_not_know_as_installed(self):
        ended = self.bash("""
            packages_of() { printf '%s\\n' bash warpbook-no-such-package coreutils; }
            missing_packages x
        """)
        self.assertEqual(ended.stdout, "warpbook-no-such-package\n")

    def test_without_root_the_apt_line_is_printed_and_the_status_is_2(self):
        ended = self.bash("""
            missing_packages() { printf '%s\\n' g++ postgresql-15; }
            can_be_root() { false; }
            install_packages x
        """)
        self.assertEqual(ended.returncode, 2)
        self.assertIn("apt-get update && apt-get install -y --no-install-recommends g++ postgresql-15\n",
                      ended.stdout)
        self.assertIn("create_main_cluster = false", ended.stdout)

    def test_nothing_is_installed_where_nothing_is_missing(self):
        ended = self.bash("""
            missing_packages() { :; }
            as_root() { say "as root: $*"; }
            install_packages x
        """)
        self.assertEqual((ended.returncode, ended.stdout), (0, ""))

    def test_lists_are_brought_up_to_date_before_anything_is_installed(self):
        ended = self.bash("""
            missing_packages() { printf '%s\\n' g++; }
            can_be_root() { true; }
            as_root() { say "as root: $*"; }
            forbid_debian_cluster() { say forbid; }
            allow_debian_cluster() { say allow; }
            install_packages x
        """)
        self.assertEqual(ended.stdout.split("\n")[1:-1], [
            "as root: apt-get update -q", "forbid",
            "as root: env DEBIAN_FRONTEND=noninteractive apt-get install -y "
            "--no-install-recommends g++", "allow"])

    # An apt-get that goes on until something ends it, and the file in /etc in the test's folder.
    INSTALLATION = """
        missing_packages() { say g++; }
        can_be_root() { true; }
        as_root() {
          if [[ $* == *" install "* ]]; then bash -c ': >"$0/began"; exec sleep 60' "$LOGS"; fi
        }
        forbid_debian_cluster() { touch "$LOGS/no-cluster.conf"; }
        allow_debian_cluster() { rm "$LOGS/no-cluster.conf"; }
        install_packages x
        say "goes on"
    """

    def test_an_installation_that_is_interrupted_leaves_nothing_in_etc(self):
        conf, began = (os.path.join(self.folder, name) for name in ("no-cluster.conf", "began"))
        script = SUPERVISOR.format(root=ROOT, logs=self.folder) + self.INSTALLATION
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                # As from a terminal: the whole group gets the signal.
                process = subprocess.Popen(
                    ["env", "--default-signal", "bash", "-c", script, "deploy/run"],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                    text=True, start_new_session=True)
                self.wait_for(lambda: os.path.exists(began))
                os.remove(began)
                self.assertTrue(os.path.exists(conf))
                os.killpg(process.pid, number)
                self.assertNotIn("goes on", process.communicate(timeout=30)[0])
                self.assertIn(process.returncode, (128 + number, -number, 143))
                self.wait_for(lambda: not os.path.exists(conf))

    def test_an_installation_that_fails_leaves_nothing_in_etc_and_says_so(self):
        ended = self.bash(self.INSTALLATION.replace("exec sleep 60", "exit 100"))
        self.assertEqual(ended.returncode, 1)
        self.assertEqual(ended.stderr, "deploy/run: apt-get could not install the packages\n")
        self.assertFalse(os.path.exists(os.path.join(self.folder, "no-cluster.conf")))

    # -- deploy/lib/processes.sh

    def test_a_program_that_dies_is_started_again_and_its_end_is_told(self):
        ended = self.bash("""
            exec_worker() { say started; exec_alone TERM sleep 60; }
            starts() { grep -c started "$LOGS/worker.log" 2>/dev/null || true; }
            start worker
            until [[ $(starts) == 1 ]]; do pause 0.01; done
            kill -9 ${PROCESS[worker]}
            while alive worker; do pause 0.01; done
            revive worker
            until [[ $(starts) == 2 ]]; do pause 0.01; done
            alive worker && say "alive again"
        """)
        self.assertEqual(ended.returncode, 0, ended)
        self.assertRegex(ended.stdout, r"^notice: worker died \(killed by SIGKILL\) and is started "
                                       r"again; its log is \S+/worker\.log\nalive again\n$")
        self.assertEqual(ended.stderr, "")

    def test_a_program_that_dies_too_often_ends_the_run_and_its_log_is_named(self):
        ended = self.bash("""
            exec_worker() { exit 3; }
            pause() { sleep 0.01; }
            start worker
            while true; do
              while alive worker; do pause; done
              revive worker
            done
        """)
        self.assertEqual(ended.returncode, 1)
        self.assertEqual(ended.stdout.count("died (exit status 3)"), 5)
        self.assertRegex(ended.stderr, r"deploy/run: worker died again \(exit status 3\), 5 times "
                                       r"in a minute: see \S+/worker\.log\n$")

    def test_a_program_that_does_not_end_when_asked_is_killed(self):
        ended = self.bash("""
            pause() { sleep 0.001; }  # the 20 seconds pass in one
            exec_worker() {
              exec_alone TERM bash -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done'
            }
            start worker
            worker=${PROCESS[worker]}
            until grep -q ready "$LOGS/worker.log" 2>/dev/null; do pause; done
            stop worker || say "status $?"
            kill -0 "$worker" 2>/dev/null || say gone
        """)
        self.assertIn("notice: worker did not end within", ended.stdout)
        self.assertIn("status 137\ngone\n", ended.stdout)

    def test_programs_end_with_a_supervisor_that_is_killed(self):
        ended = self.bash("""
            exec_worker() { exec_alone TERM sleep 60; }
            start worker
            pause 0.3
            say "${PROCESS[worker]}"
            kill -9 $$
        """)
        worker = int(ended.stdout)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with open(f"/proc/{worker}/stat", encoding="utf-8") as stat:
                    if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                        return
            except FileNotFoundError:
                return
            time.sleep(0.05)
        os.kill(worker, signal.SIGKILL)
        self.fail("the program outlived its supervisor")

    def test_awaiting_a_program_that_dies_is_a_failure_that_names_its_log(self):
        ended = self.bash("""
            exec_worker() { exit 7; }
            start worker
            await worker 10 false
        """)
        self.assertEqual(ended.returncode, 1)
        self.assertRegex(ended.stderr,
                         r"worker ended \(exit status 7\): see \S+/worker\.log\n$")

    def test_awaiting_gives_up_in_time(self):
        ended = self.bash("""
            exec_worker() { exec_alone TERM sleep 60; }
            start worker
            await worker 1 false
        """)
        self.assertEqual(ended.returncode, 1)
        self.assertRegex(ended.stderr, r"worker is not ready in time: see \S+/worker\.log\n$")

    def test_a_port_is_busy_where_something_listens(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            self.assertEqual(self.bash(f"port_is_busy {port}").returncode, 1)
            listener.listen()
            self.assertEqual(self.bash(f"port_is_busy {port}").returncode, 0)

    # -- deploy/run

    def test_a_fresh_market_keeps_your_keys_and_nothing_that_names_the_old_one(self):
        ended = self.market("""
            remove_postgres() { say "no database"; }
            mkdir -p "$JOURNAL" "$KEYS" "$DEMO/keys"
            touch "$JOURNAL/00000001.segment" "$KEYS/operator.pem" "$DEMO/acknowledged"
            cd "$VAR"
            touch me.pem me.pem.account me.pem.device me.pem.device.node "with a blank.pem.account"
            forget_everything
            ls -A
        """)
        self.assertEqual(ended.returncode, 0, ended)
        self.assertEqual(ended.stdout.split("\n")[1:], ["no database", "me.pem", "me.pem.device", ""])

    def test_what_dies_while_the_market_is_stopped_is_started_again(self):
        os.makedirs(f"{self.folder}/build/gateway/cli")
        os.chmod(self.write("build/gateway/cli/warpbook",
                            "#!/bin/bash\necho '6 2026 Tick'\necho '7 2026 Tick'\n"), 0o755)
        ended = self.market("""
            trap 'for name in "${!PROCESS[@]}"; do kill "${PROCESS[$name]}"; done' EXIT
            for name in postgres exchange settlement demo; do
              eval "exec_$name() { exec_alone TERM sleep 60; }"
              start "$name"
            done
            die() { kill -9 "${PROCESS[$1]}"; while alive "$1"; do sleep 0.01; done; }
            exchange_is_ready() { alive exchange; }
            postgres_answers() { alive postgres; }
            stop() {
              if ! alive "$1" || ! alive postgres; then say "one is gone before $1 is stopped"; fi
              kill "${PROCESS[$1]}"
              unset "PROCESS[$1]"
              if [[ $1 == settlement ]]; then die postgres; fi
            }
            # At each look at the ledger something else is wrong, before all is posted.
            pause() { sleep 0.01; }
            summary() {
              say look >>"$VAR/looks"
              case $(wc -l <"$VAR/looks") in
                1) die postgres ;;
                2) die settlement ;;
                3) say '{"sequence":6}' ;;
                *) say '{"sequence":7}' ;;
              esac
            }
            journal_orders() { alive postgres; }
            table() { say "a table of $1"; }
            invariants() { say "invariants"; }
            die postgres
            finish
        """)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)
        self.assertEqual(re.findall(r"(\w+) died|^(a table .*)$", ended.stdout, re.M),
                         [("postgres", ""), ("postgres", ""), ("settlement", ""), ("postgres", ""),
                          ("", 'a table of {"sequence":7}')])
        self.assertNotIn("gone", ended.stdout)

    # -- deploy/lib/postgres.sh

    def test_only_a_postgres_of_ours_is_stopped_for_having_outlived_its_supervisor(self):
        ended = self.market("""
            POSTGRES_HOME=$VAR/postgres POSTGRES_SOCKET=$VAR/postgres/socket
            chmod 711 "$WARPBOOK_ROOT" "$VAR"  # root's PostgreSQL runs as another user
            trap 'stop postgres INT' EXIT
            make_cluster
            start postgres
            await postgres 30 postgres_answers

            # The number of one that is gone belongs to somebody else by now.
            sleep 60 &
            stranger=$!
            POSTGRES_HOME=$VAR/gone
            mkdir -p "$POSTGRES_HOME/data"
            for pid in $stranger ${PROCESS[postgres]} 999999999 -7 nonsense; do
              say "$pid" >"$POSTGRES_HOME/data/postmaster.pid"
              stop_stray_postgres
              if [[ -e $POSTGRES_HOME/data/postmaster.pid ]]; then say "the file of $pid stays"; fi
            done
            if ! kill "$stranger"; then say "the stranger is gone"; fi
            if ! postgres_answers; then say "another PostgreSQL is gone"; fi

            POSTGRES_HOME=$VAR/postgres
            stop_stray_postgres
            if alive postgres; then say "it runs still"; fi
            status_of postgres
        """)
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "exit status 0", ""))

    # -- deploy/lib/report.sh

    SUMMARY = json.dumps({
        "sequence": 17, "fills": 1073, "leases": {"reserved": 3, "settled": 1070},
        "gpu_hours_sold": "1967.26", "gpu_hours_resold": "12.50",
        "tokens": {"burned_utok": "10000000", "burned": "10", "reminted_provider_utok": "6614226",
                   "reminted_fee_utok": "142228", "emitted_utok": "1000000",
                   "supply": "399990006.75"},
        "credits": {"burned": "1190720"},
    }, separators=(",", ":"))

    def report(self, script):
        ended = self.bash(f"source {ROOT}/deploy/lib/report.sh\njson='{self.SUMMARY}'\n{script}",
                          prelude="set -euo pipefail\nsource {root}/deploy/dev/lib.sh\n")
        self.assertEqual(ended.stderr, "")
        return ended

    def test_fields_are_read_from_the_object_that_holds_them(self):
        for name, value in (("sequence", "17"), ("tokens.burned", "10"),
                            ("credits.burned", "1190720"), ("leases.settled", "1070"),
                            ("leases.failed", ""), ("nothing", ""), ("nothing.at_all", "")):
            with self.subTest(name=name):
                self.assertEqual(self.report(f'field "$json" {name}').stdout, value)

    def test_minted_is_what_was_paid_for_work(self):
        self.assertEqual(self.report('minted "$json"').stdout, "7.756454")

    def test_the_table_has_every_figure(self):
        rows = dict(re.findall(r"^  (\S.*?)  +(\S+)$", self.report('table "$json" 3532').stdout,
                               re.M))
        self.assertEqual(rows["orders"], "3532")
        self.assertEqual(rows["fills"], "1073")
        self.assertEqual(rows["GPU-hours sold"], "1967.26")
        self.assertEqual(rows["GPU-hours resold"], "12.50")
        self.assertEqual(rows["leases settled"], "1070")
        self.assertEqual(rows["TOK burned"], "10")
        self.assertEqual(rows["TOK minted"], "7.756454")
        self.assertEqual(rows["TOK supply"], "399990006.75")

    def test_a_verdict_is_its_commands(self):
        ended = self.report('verdict "one" "1 of 1" true && verdict "two" "0 of 1" false '
                            '|| say "status $?"')
        self.assertEqual(ended.stdout, "PASS  one: 1 of 1\nFAIL  two: 0 of 1\nstatus 1\n")

    def fake_warpbook(self, script):
        """The report's functions find it as $WARPBOOK."""
        path = self.write("warpbook", "#!/bin/bash\n" + script)
        os.chmod(path, 0o755)
        return f"WARPBOOK={path} JOURNAL=journal LOGS={self.folder}\n"

    def test_orders_of_the_journal_have_number_account_and_the_clients_name(self):
        self.write("dump", """\
7 2026-10-17T05:20:01.000017Z PlaceOrder account_id=40 sequence=7 tag=9 client_order_id="f-b1-1" gpus=2
7 2026-10-17T05:20:01.000017Z   OrderAccepted event_sequence=21 account_id=40 account_sequence=3 tag=9 \
order_id=11 price=2500000 node_id=0 client_order_id="f-b1-1" instrument_id=3 gpus=2 padding=0
8 2026-10-17T05:20:01.000018Z   OrderAccepted event_sequence=22 account_id=41 account_sequence=1 tag=9 \
order_id=12 price=2500000 node_id=0 client_order_id=- instrument_id=3 gpus=2
9 2026-10-17T05:20:01.000019Z   OrderFilled event_sequence=23 account_id=41 order_id=12 client_order_id=-
""")
        fake = self.fake_warpbook(f'[[ "$*" == "journal dump journal" ]] && cat {self.folder}/dump')
        self.assertEqual(self.report(fake + "journal_orders").stdout, "11 40 f-b1-1\n12 41 -\n")

    # What four members were told, and what the journal has where nothing is lost.
    ACKNOWLEDGED = ["9 17 f-b1-1", "10 18 f-b2-1", "11 19 f-b3-1", "12 20 f-b4-1"]

    def acknowledged_verdict(self, acknowledged, journal):
        self.write("acknowledged", "".join(line + "\n" for line in acknowledged))
        self.write("orders", "".join(line + "\n" for line in journal))
        ended = self.report(f"ACKNOWLEDGED={self.folder}/acknowledged\n"
                            f"acknowledged_verdict {self.folder}/orders || say failed")
        name, numbers = ended.stdout.split("\n")[0].split(": ")
        self.assertEqual(name[6:], "every acknowledged order is in the journal")
        self.assertEqual("failed" in ended.stdout, name.startswith("FAIL  "))
        return name[:4], numbers

    def test_what_was_acknowledged_and_is_there_passes_whatever_else_is_there(self):
        self.assertEqual(
            self.acknowledged_verdict(self.ACKNOWLEDGED + self.ACKNOWLEDGED[:1],
                                      ["8 40 -"] + self.ACKNOWLEDGED[::-1] + ["13 40 by-hand"]),
            ("PASS", "4 acknowledged, 0 missing, 0 ids given twice"))

    def test_a_journal_that_lost_its_end_is_found_out_though_its_numbers_are_given_again(self):
        told = self.ACKNOWLEDGED
        lost = {
            "and nothing came after": ([], told[:2], "4 acknowledged, 2 missing, 0 ids"),
            "and another member's orders have the numbers":
                ([], told[:2] + ["11 40 by-hand", "12 40 -"], "4 acknowledged, 2 missing, 0 ids"),
            "and the demo's next orders have the numbers":
                (["11 17 f-b1-2", "12 18 f-b2-2"], told[:2] + ["11 17 f-b1-2", "12 18 f-b2-2"],
                 "6 acknowledged, 2 missing, 2 ids"),
            "and the same orders were asked for again in another order":
                (["11 20 f-b4-1", "12 19 f-b3-1"], told[:2] + ["11 20 f-b4-1", "12 19 f-b3-1"],
                 "6 acknowledged, 2 missing, 2 ids"),
        }
        for what, (told_later, journal, numbers) in lost.items():
            with self.subTest(what):
                self.assertEqual(self.acknowledged_verdict(told + told_later, journal),
                                 ("FAIL", numbers + " given twice"))

    def test_a_number_given_twice_fails_even_where_the_journal_has_both(self):
        twice = self.ACKNOWLEDGED + ["9 18 f-b2-2"]
        self.assertEqual(self.acknowledged_verdict(twice, twice),
                         ("FAIL", "5 acknowledged, 0 missing, 1 ids given twice"))

    def test_where_nothing_was_acknowledged_nothing_is_proved(self):
        self.assertEqual(self.acknowledged_verdict([], self.ACKNOWLEDGED),
                         ("FAIL", "0 acknowledged, 0 missing, 0 ids given twice"))
        ended = self.report(f"ACKNOWLEDGED={self.folder}/not-there\n"
                            f"acknowledged_verdict {self.folder}/orders || say failed")
        self.assertIn("0 acknowledged", ended.stdout)
        self.assertIn("failed", ended.stdout)

    def test_a_journal_is_right_by_the_status_of_its_proof_whatever_is_told_meanwhile(self):
        fake = self.fake_warpbook("""
            echo 'replayed to sequence 100000' >&2
            echo 'the journal is right: 9 commands and 20 events'
            echo 'event hash 1'
        """)
        self.assertRegex(self.report(fake + "journal_verdict").stdout,
                         "^PASS  replaying [^:]*: the journal is right: 9 commands and 20 events; "
                         "event hash 1\n$")

    def test_the_supply_that_is_published_is_checked_by_its_command(self):
        fake = self.fake_warpbook("""
            printf '  genesis   400,000,000\\n= circulating supply   399,999,000.5\\n'
        """)
        self.assertEqual(self.report(fake + "supply_verdict 127.0.0.1:1").stdout,
                         "PASS  the published supply adds up: 399,999,000.5 TOK circulate\n")
        fake = self.fake_warpbook("echo 'warpbook: the numbers do not add up' >&2; exit 1")
        ended = self.report(fake + "supply_verdict 127.0.0.1:1 || say failed")
        self.assertEqual(ended.stdout, "FAIL  the published supply adds up: warpbook: the numbers do "
                                       "not add up\nfailed\n")

    def test_a_journal_that_cannot_be_proved_fails_with_the_reason(self):
        fake = self.fake_warpbook("""
            echo 'the journal is right, so far'
            echo 'replayed to sequence 100000' >&2
            echo 'warpbook: event 7 is not what the engine gives' >&2
            exit 1
        """)
        ended = self.report(fake + "journal_verdict || say failed")
        self.assertRegex(ended.stdout, "^FAIL  replaying [^:]*: warpbook: event 7 is not what the "
                                       "engine gives\nfailed\n$")


class PlantedBugsTest(unittest.TestCase):
    """The bugs of deploy/dev/plant-bugs must fit the code, or nobody sees any more that they are found."""

    def test_each_is_listed_with_a_sentence_and_applies_to_the_tree(self):
        listed = run([f"{ROOT}/deploy/dev/plant-bugs", "--list"])
        self.assertEqual(listed.returncode, 0, listed)
        bugs = listed.stdout.splitlines()
        self.assertGreaterEqual(len(bugs), 16)
        # The tree may be no repository, or lie in another one.
        environment = dict(os.environ, GIT_CEILING_DIRECTORIES=os.path.dirname(ROOT))
        for bug in bugs:
            with self.subTest(bug=bug):
                self.assertRegex(bug, r"^[a-z-]+ +[A-Z][^.]*\.$")
                patch = f"{ROOT}/tests/planted_bugs/{bug.split()[0]}.patch"
                applied = run(["git", "apply", "--check", patch], cwd=ROOT, env=environment)
                self.assertEqual(applied.stderr, "")
                self.assertEqual(applied.returncode, 0)

    def test_an_unknown_bug_is_named(self):
        ended = run([f"{ROOT}/deploy/dev/plant-bugs", "no-such-bug"])
        self.assertEqual(ended.returncode, 1)
        self.assertEqual(ended.stderr,
                         "deploy/dev/plant-bugs: there is no bug no-such-bug (--list)\n")


if __name__ == "__main__":
    unittest.main()
