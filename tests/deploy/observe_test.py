#!/usr/bin/python3
"""Watching a market: what deploy/run --observe starts, and how Debian's Prometheus is installed."""

import json
import os
import socket
import subprocess
import unittest
import urllib.request

from script_test_case import ROOT, ScriptTestCase


class InstallationTest(ScriptTestCase):
    # Debian's own Prometheus, on a machine whose unit would be in the test's folder.
    PROMETHEUS = """
        prometheus_unit=$LOGS/systemd/prometheus.service
        missing_packages() { if [[ ! -e $LOGS/installed ]]; then say prometheus; fi; }
        can_be_root() { true; }
        forbid_debian_cluster() { :; }
        allow_debian_cluster() { :; }
        as_root() {
          case $1 in
            env) if [[ -L $prometheus_unit ]]; then touch "$LOGS/$APT"; fi; [[ $APT == installed ]] ;;
            apt-get) ;;
            *) "$@" ;;
          esac
        }
    """

    def test_debians_own_prometheus_is_masked_before_it_is_installed_and_that_is_told(self):
        ended = self.bash(f"APT=installed {self.PROMETHEUS}\ninstall_packages observe")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertIn("prometheus.service is masked", ended.stdout)
        self.assertIn("systemctl unmask prometheus", ended.stdout)
        self.assertEqual(os.readlink(f"{self.folder}/systemd/prometheus.service"), "/dev/null")

    def test_a_prometheus_that_could_not_be_installed_leaves_no_mask(self):
        ended = self.bash(f"APT=tried {self.PROMETHEUS}\ninstall_packages observe")
        self.assertEqual(ended.returncode, 1)
        self.assertTrue(os.path.exists(f"{self.folder}/tried"))
        self.assertEqual(os.listdir(f"{self.folder}/systemd"), [])

    def test_a_unit_of_somebody_elses_stays_as_it_is(self):
        os.mkdir(f"{self.folder}/systemd")
        self.write("systemd/prometheus.service", "[Service]\n")
        ended = self.bash(f"APT=tried {self.PROMETHEUS}\ninstall_packages observe")
        self.assertNotIn("masked", ended.stdout)
        self.assertFalse(os.path.islink(f"{self.folder}/systemd/prometheus.service"))

    def test_without_root_the_mask_is_a_line_too(self):
        ended = self.bash(f"{self.PROMETHEUS}\ncan_be_root() {{ false; }}\ninstall_packages observe")
        self.assertEqual(ended.returncode, 2)
        self.assertRegex(ended.stdout, r"mkdir -p \S+/systemd && ln -s /dev/null \S+/prometheus.service")
        self.assertNotIn("create_main_cluster", ended.stdout)


class ObservationTest(ScriptTestCase):
    def free_port(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            return listener.getsockname()[1]

    def asked(self, port, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    def test_prometheus_watches_the_ports_in_use_by_the_rules_and_stops_with_the_market(self):
        port = self.free_port()
        # The two ports of the market are each other's default.
        script = f"""
            with_observation=true observe_port={port} grafana_port=1
            has_grafana() {{ false; }}
            trap 'shut_down; say "runs still: ${{!PROCESS[*]}}"' EXIT
            start_observation 7402 7401
            say "it runs"
            while [[ ! -e $VAR/seen ]]; do pause 0.05; done
        """
        process = subprocess.Popen(
            ["bash", "-c", self.market_prelude() + script, "deploy/run"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)  # what it started ends with it
        self.assertEqual(process.stdout.readline(), "it runs\n")
        self.wait_for(lambda: len(self.asked(port, "targets")["activeTargets"]) == 2)
        targets = {target["labels"]["job"]: target["scrapeUrl"]
                   for target in self.asked(port, "targets")["activeTargets"]}
        groups = self.asked(port, "rules")["groups"]
        self.write(".var/seen", "")
        self.assertEqual(process.communicate(timeout=30)[0], "runs still: \n")
        self.assertEqual(process.returncode, 0)
        self.assertEqual(targets, {"warpbook": "http://127.0.0.1:7402/metrics",
                                   "warpbook-settlement": "http://127.0.0.1:7401/metrics"})
        self.assertGreater(sum(len(group["rules"]) for group in groups), 30)
        with self.assertRaises(OSError):
            self.asked(port, "targets")

    def test_grafana_is_started_where_it_is_with_these_files_and_for_looking_only(self):
        os.mkdir(f"{self.folder}/bin")
        os.chmod(self.write("bin/grafana-server", "#!/bin/bash\nenv | grep ^GF_ >$LOGS/grafana.env\nexec sleep 60\n"),
                 0o755)
        ended = self.market("""
            with_observation=true observe_port=9123 grafana_port=3123
            export PATH=$WARPBOOK_ROOT/bin:$PATH LOGS GF_SECURITY_ADMIN_PASSWORD=leaked
            exec_prometheus() { exec_alone TERM sleep 60; }
            http_ok() { if [[ $1 == "$grafana_port" ]]; then [[ -s $LOGS/grafana.env ]]; fi; }
            trap 'shut_down; say "runs still: ${!PROCESS[*]}"' EXIT
            start_observation 7401 7402
            observation_lines
        """)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertIn("runs still: \n", ended.stdout)
        self.assertIn("\n  alerts      http://127.0.0.1:9123/alerts", ended.stdout)
        self.assertIn("\n  dashboards  http://127.0.0.1:3123/dashboards", ended.stdout)
        with open(f"{self.folder}/.var/logs/grafana.env", encoding="utf-8") as file:
            settings = dict(line.rstrip("\n").split("=", 1) for line in file)
        self.assertEqual((settings["GF_SERVER_HTTP_ADDR"], settings["GF_SERVER_HTTP_PORT"]), ("127.0.0.1", "3123"))
        self.assertEqual(settings["GF_AUTH_ANONYMOUS_ORG_ROLE"], "Viewer")
        self.assertNotIn("GF_SECURITY_ADMIN_PASSWORD", settings)
        provisioning = settings["GF_PATHS_PROVISIONING"]
        for kind, words in (("datasources", "url: http://127.0.0.1:9123\n"),
                            ("dashboards", f"path: '{self.folder}/deploy/grafana/dashboards'\n")):
            with open(f"{provisioning}/{kind}/warpbook.yml", encoding="utf-8") as file:
                self.assertIn(words, file.read())

    def test_without_grafana_the_welcome_says_how_another_one_shows_the_dashboards(self):
        ended = self.market("""
            has_grafana() { false; }
            observation_lines
            with_observation=true observe_port=9123 grafana_port=3123
            observation_lines
        """)
        self.assertEqual(ended.stdout.split("\n")[2:], [
            "  dashboards  in a Grafana of yours: GF_PATHS_PROVISIONING="
            f"{self.folder}/.var/grafana/provisioning grafana-server ..."])

    def test_a_busy_port_of_those_who_watch_is_told_before_anything_is_started(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            busy = listener.getsockname()[1]
            for script, option in ((f"observe_port={busy} grafana_port=1", "--observe-port"),
                                   (f"observe_port=1 grafana_port={busy}", "--grafana-port")):
                ended = self.bash(f"with_observation=true {script}\nhas_grafana() {{ true; }}\ncheck_observation_ports",
                                  prelude=f"source {ROOT}/deploy/run\n")
                self.assertEqual((ended.returncode, ended.stderr), (
                    1, f"deploy/run: port {busy} on 127.0.0.1 is busy: stop what uses it, or choose another with "
                       f"{option}\n"))


if __name__ == "__main__":
    unittest.main()
