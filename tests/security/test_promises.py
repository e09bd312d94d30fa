"""SECURITY.md says only what a test shows: each of its sentences names the tests that hold it, and the tests are there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
_ENDS = re.compile(r"(?<=[.)])\s+(?=[A-Z(`])|\s*\n\n\s*|\s*^- ", re.MULTILINE)


def sentences(text: str) -> list[str]:
    """The sentences of a page, each on one line, without its headings."""
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    return [" ".join(sentence.split()) for sentence in _ENDS.split(text) if sentence.strip()]


SENTENCES = sentences((TESTS.parent / "SECURITY.md").read_text("utf-8"))

# What tells the reader something and promises nothing.
TOLD = (
    "portwright reads what others wrote", "These are its guarantees", "(`python -m portwright` drops that directory",
    "(`audit -i` asks the hosts of somebody's own inventory",
    "What no name, form or place tells", "Those without a test, and why:", "Of 70: a config of a daemon", "Of 17 one thing has no test",
    "No read of a file has a deadline", "Please report a way around",
)  # fmt: skip

_CALLS, _OUTPUTS, _HOSTS = "security/test_system_calls.py: ", "security/test_outputs.py: ", "security/test_hosts.py: "
_ARCHIVE, _DIRECTORY, _OWN = "trees/test_archive.py: ", "trees/test_directory.py: ", "rules/test_own_rules.py: "
_COLLECTOR, _AUDIT, _CROSSED = "fleet/test_collector.py: ", "fleet/test_audit.py: ", "fleet/test_crossed_out.py: "
_STORE = "fleet/test_store.py: "
_RULES, _GRAMMAR, _PLACES = "security/test_rules.py: ", "rules/test_grammar.py: ", "security/test_secret_places.py: "
_SECRETS, _PLAYBOOK, _PLANS = "security/test_secrets.py: ", "fixes/test_playbook.py: ", "security/test_playbooks.py: "
_EVERY, _LAB, _PAGE = "security/test_every_case.py: ", "lab/story.py: ", "reports/test_html.py: "
_TRACED = _CALLS + "test_case_88_no_command_connects_runs_or_writes_anything_else"
_NOT_THERE = _EVERY + "test_what_a_sentence_says_there_is_not_is_not_there"

# How a sentence begins, and the tests of what it says; of the lab, what it prints of a booted host.
HELD_BY = {
    "Nothing from a host, a repository or a rule is executed": (_TRACED, _RULES + "test_case_39_code_beside_rules_is_not_run"),
    "Python scripts named by a unit": (_TRACED,),
    "Rules are data": (
        _RULES + "test_cases_33_and_34_a_condition_is_words_and_nothing_is_worked_out",
        _RULES + "test_case_39_a_rule_brings_no_code",
    ),
    "A store of a fleet (`audit --store FILE`)": (
        _STORE + "test_case_41_a_store_is_its_owners_alone_and_is_reached_through_no_link",
        _STORE + "test_no_secret_is_in_a_store_that_a_snapshot_leaves_out",
        _CALLS + "test_case_88_a_store_is_all_that_an_audit_with_one_writes_and_reading_one_writes_nothing",
    ),
    "What comes out of a store is data": (
        _STORE + "test_what_is_no_store_is_one_line",
        _STORE + "test_case_41_a_document_that_somebody_changed_is_read_within_bounds_or_refused",
    ),
    "A person's rules (`--rules DIR`) are read as a host is": (
        _OWN + "test_a_case_file_that_is_a_link_is_neither_read_nor_written",
        _OWN + "test_a_folder_of_cases_that_is_a_link_is_not_followed",
        _GRAMMAR + "test_what_is_no_file_of_the_folder_is_not_read",
    ),
    "They contain no patterns": (
        _RULES + "test_cases_18_to_22_yaml_that_is_more_than_data_is_refused_with_its_line",
        _RULES + "test_cases_33_and_34_a_condition_is_words_and_nothing_is_worked_out",
        _RULES + "test_case_35_a_message_has_fields_of_a_list_and_no_ways_into_them",
        _GRAMMAR + "test_text_that_would_steer_a_terminal_or_hide_is_refused",
    ),
    "Comparisons and output of a rule are limited": (_RULES + "test_case_37_a_rule_that_would_take_long_is_stopped_and_named",),
    "A rule may propose": (_GRAMMAR + "test_what_a_rule_may_not_do_is_told_with_its_place",),
    "Rules and daemons that other distributions bring": (
        "packaged/test_packaged.py: test_an_installed_package_brings_rules_and_daemons_and_runs_nothing",
    ),
    "No path outside the given root is opened": (
        _TRACED,
        _DIRECTORY + "test_nothing_outside_the_root_is_opened",
        _HOSTS + "test_cases_3_4_and_6_no_link_leads_out_of_the_host",
    ),
    "Devices, pipes and sockets are not read": (
        _DIRECTORY + "test_special_files_are_said_and_never_waited_for",
        _DIRECTORY + "test_case_7_a_device_is_never_opened",
        _HOSTS + "test_case_7_a_pipe_and_a_socket_are_not_read",
    ),
    "An archive is never unpacked to disk": (_TRACED,),
    "Its links and second names are data": (
        _ARCHIVE + "test_cases_1_2_9_and_12_what_is_hostile_or_damaged_is_one_clear_line",
        _ARCHIVE + "test_case_5_a_second_name_has_the_bytes_of_the_first_and_reaches_nothing_else",
        _ARCHIVE + "test_case_8_a_bomb_is_stopped_at_its_bound",
        _ARCHIVE + "test_case_10_members_beyond_the_number_that_is_read_are_said",
    ),
    "An archive that is truncated or damaged": (
        _ARCHIVE + "test_case_9_an_archive_cut_anywhere_is_truncated_and_nothing_of_it_counts",
        _ARCHIVE + "test_an_archive_with_a_wrong_byte_is_never_read_in_part",
        _ARCHIVE + "test_what_was_meant_to_be_an_archive_is_no_pass",
    ),
    "The `portwright` command loads no code": (
        "security/test_tool.py: test_case_84_no_code_and_no_configuration_of_the_working_directory_counts",
    ),
    "What `fix --apply` runs obeys no `ansible.cfg`": (
        "security/test_tool.py: test_case_84_nothing_of_the_working_directory_runs_when_a_plan_is_applied",
    ),
    "Files that contain only secrets": (
        "trees/test_secret_files.py: test_a_file_of_secrets_is_not_opened_and_that_is_said",
        _SECRETS + "test_case_53_an_include_that_names_a_key_file_is_not_opened",
        _PLACES + "test_case_53_a_file_of_nothing_but_secrets_is_not_opened_nor_a_copy_of_it",
    ),
    "No network connection is made": (
        _TRACED,
        _CALLS + "test_what_a_plan_is_applied_with_and_git_are_the_only_programs_that_are_run",
        _CALLS + "test_case_88_a_snapshot_runs_the_collector_and_connects_to_nobody",
        "cli/test_comparing.py: test_nothing_that_a_checkouts_config_names_is_run",
        _CALLS + "test_case_88_a_comparison_runs_git_and_nothing_of_the_checkout",
        _AUDIT + "test_an_inventory_is_collected_checked_and_none_is_forgotten",
    ),
    "`fix --verify` runs a daemon's own command": (
        "audit/test_verifying.py: test_nothing_can_be_written_reached_or_run_but_this_machines_programs",
        "audit/test_verifying.py: test_an_archive_is_not_unpacked_for_it",
    ),
    "What a config has that command do while it checks": (
        "audit/test_verifying.py: test_nothing_can_be_written_reached_or_run_but_this_machines_programs",
        "audit/test_verifying.py: test_what_was_not_asked_is_said",
    ),
    "The collector (`playbooks/collect.sh`) changes nothing": (
        _COLLECTOR + "test_the_collector_writes_nothing_but_its_own_folder",
        _COLLECTOR + "test_no_secret_leaves_the_host",
        _CROSSED + "test_the_collector_has_the_same_list_of_files_of_nothing_but_secrets",
    ),
    "What only its place in a file or a command tells": (
        _CROSSED + "test_case_51_no_secret_of_any_place_is_in_a_snapshot",
        _AUDIT + "test_no_answer_is_kept_with_a_secret_in_it",
        _AUDIT + "test_what_a_host_answers_lies_in_no_file_before_its_secrets_are_crossed_out",
    ),
    "Pipes and devices are not opened, mounts": (
        _COLLECTOR + "test_pipes_sockets_and_large_files_are_not_waited_for_and_told_where_they_are_asked_for",
        _COLLECTOR + "test_a_mount_of_the_network_is_not_entered",
        _COLLECTOR + "test_a_collector_that_hangs_is_ended",
    ),
    "Snapshots can be read by their owner only": (
        _COLLECTOR + "test_a_snapshot_is_its_owners_only_and_is_read_as_the_host",
        _AUDIT + "test_an_inventory_is_collected_checked_and_none_is_forgotten",
    ),
    "A host that gave no whole archive": (
        _COLLECTOR + "test_a_collector_that_was_cut_short_leaves_no_archive_that_counts",
        _AUDIT + "test_an_answer_that_is_no_archive_is_no_host",
        _AUDIT + "test_an_inventory_is_collected_checked_and_none_is_forgotten",
    ),
    "Only the files that an option names are written": (_TRACED,),
    "None is written through a link": (
        _OUTPUTS + "test_case_49_a_report_does_not_go_through_a_link",
        _OUTPUTS + "test_case_49_every_command_that_takes_an_output_refuses_a_link",
        _OUTPUTS + "test_case_49_no_directory_below_the_working_directory_is_reached_through_a_link",
        _OUTPUTS + "test_case_49_nor_below_another_checkout_or_an_input",
        _OUTPUTS + "test_case_49_a_folder_for_snapshots_is_not_made_or_used_through_a_link",
    ),
    "A file is complete on disk": (
        _OUTPUTS + "test_what_is_written_is_on_disk_before_it_takes_the_place_of_the_old",
        _OUTPUTS + "test_a_plan_lands_together_or_not_at_all",
        _OUTPUTS + "test_a_signal_between_two_files_of_a_plan_waits_for_all_three",
        _OUTPUTS + "test_a_report_can_go_to_a_pipe_that_somebody_reads",
    ),
    "A second name (hard link)": (_DIRECTORY + "test_a_second_name_of_a_file_outside_is_a_file_of_the_host",),
    "What its place says it is": (
        _DIRECTORY + "test_a_second_name_of_a_file_outside_is_a_file_of_the_host",
        "security/test_parsers.py: test_case_31_a_file_is_read_by_its_place_and_what_is_not_its_grammar_is_said",
        _PLACES + "test_case_51_a_secret_is_known_by_its_place_or_its_file_is_not_opened",
    ),
    "Files, lines, depths, links and includes have limits": (
        _DIRECTORY + "test_a_large_file_is_refused_with_its_limit",
        _DIRECTORY + "test_forty_links_are_followed_and_not_one_more",
        _DIRECTORY + "test_a_walk_stops_at_a_depth_and_says_so",
        "security/test_parsers.py: test_case_23_files_that_include_each_other_are_said",
        "security/test_parsers.py: test_case_25_a_file_of_any_shape_is_read_in_time",
    ),
    "What exceeds a limit is named in the report": (
        "hostile/test_limits.py: test_what_is_left_out_is_said_and_makes_it_incomplete",
        "hostile/test_limits.py: test_a_limit_is_used_where_it_is_said_or_there_is_a_sentence_why_not",
        "hostile/test_limits.py: test_what_is_looked_at_in_a_repository_has_a_budget_whatever_it_turns_out_to_be",
        "cli/test_comparing.py: test_a_revision_of_few_objects_and_very_many_files_is_not_read",
    ),
    "What comes from a host is escaped in text reports": (
        "security/test_terminal.py: test_case_42_no_output_holds_a_control_an_invisible_character_or_invalid_text",
        _AUDIT + "test_a_name_cannot_play_with_the_terminal",
        "security/test_reports.py: test_case_43_no_line_of_a_report_is_a_command_for_the_ci_job_that_logs_it",
        "security/test_reports.py: test_case_43_annotations_are_the_only_commands_and_all_ours",
    ),
    "A report as HTML loads nothing": (
        _PAGE + "test_case_44_no_text_of_a_host_changes_what_the_page_is_made_of",
        _PAGE + "test_case_44_a_script_that_a_host_says_is_shown_and_not_run",
        _PAGE + "test_case_44_the_policy_lets_one_script_and_one_style_run_and_loads_nothing",
    ),
    "Secrets are removed from every report": (
        _SECRETS + "test_case_51_none_of_two_hundred_canaries_is_in_any_output",
        _SECRETS + "test_case_51_nor_in_any_other_format_a_baseline_an_audit_or_a_snapshot",
        _PLACES + "test_case_51_no_canary_of_any_place_is_in_any_output",
        _PLACES + "test_case_51_a_secret_is_known_by_the_lines_around_it_and_no_port_is_struck_out",
        _PLACES + "test_case_51_no_line_of_a_key_is_shown_however_far_its_beginning_is_above",
        "security/test_repository_secrets.py: test_case_51_no_canary_of_a_repository_is_in_any_output_nor_in_that_of_a_comparison",
    ),
    "A patch has no line of a secret": (
        "security/test_repository_secrets.py: test_what_git_needs_of_a_patch_is_all_that_it_holds_of_secrets",
        "security/test_repository_secrets.py: test_case_51_nor_in_a_patch_or_what_is_shown_of_one_and_git_takes_it",
    ),
    "No fingerprint depends on one": (
        _SECRETS + "test_case_52_a_fingerprint_is_that_of_what_is_shown_so_that_no_secret_can_be_guessed_from_it",
        _PLACES + "test_case_52_another_secret_in_the_same_place_changes_no_byte",
    ),
    "In a generated playbook the text of the tasks is constant": (
        _PLAYBOOK + "test_a_plan_and_its_rollback_hold_the_task_files_word_for_word",
        _PLANS + "test_cases_56_to_59_and_62_a_host_changes_the_vars_file_and_nothing_else",
    ),
    "Every host-derived string is in the vars file": (
        _PLAYBOOK + "test_case_56_ansible_reads_back_every_string_as_it_was_meant",
        _PLAYBOOK + "test_case_56_ansible_reads_back_what_stands_in_any_position_of_any_kind",
        _PLAYBOOK + "test_case_56_hostile_configs_paths_and_units_are_written_checked_and_put_back_as_they_are",
        _PLANS + "test_cases_56_and_58_every_string_of_the_vars_is_marked_as_no_template",
    ),
    "The vars file and the backups": (
        _OUTPUTS + "test_case_54_vars_files_are_private_from_the_beginning_whatever_the_umask",
        _PLANS + "test_case_54_backups_lie_in_a_folder_of_roots_own",
        _LAB + "backups are root's own",
    ),
    "A configuration that nobody named is obeyed": (
        "audit/test_configuration.py: test_the_root_of_a_repository_is_obeyed",
        "audit/test_configuration.py: test_nothing_in_a_host_is_obeyed",
        "cli/test_config.py: test_what_lies_below_the_repository_or_in_another_one_is_not_obeyed",
    ),
    "It may silence, change severities and say which of them end a run with 1": (
        "cli/test_config.py: test_a_severity_is_remapped_and_the_rules_own_is_told",
        "audit/test_configuration.py: test_only_a_file_that_its_user_names_brings_rules",
        "audit/test_configuration.py: test_a_file_that_was_found_is_no_link_no_pipe_and_not_endless",
        "cli/test_config.py: test_a_proposed_change_can_neither_load_rules_nor_read_elsewhere",
    ),
    "Who judges what a stranger proposes names": (
        "cli/test_config.py: test_who_judges_what_a_stranger_proposes_names_a_configuration_of_their_own",
    ),
    "An inline allow comment works in a repository only": (
        "rules/test_allowing.py: test_a_comment_on_the_line_or_above_it_accepts_the_finding_with_its_reason",
        "rules/test_allowing.py: test_on_a_host_each_comment_is_said_to_have_no_effect",
        _HOSTS + "test_case_38_nothing_inside_a_host_silences_a_finding",
        "audit/test_inputs.py: test_an_allow_comment_in_what_is_said_to_be_a_host_silences_nothing",
    ),
    "A directory that holds `etc/`": (
        "audit/test_inputs.py: test_any_other_directory_is_a_repository",
        "audit/test_inputs.py: test_a_directory_is_what_its_user_says_whatever_it_looks_like",
        "reports/test_github.py: test_what_an_input_was_taken_for_is_said_last_though_it_is_sound",
    ),
    "Eighty-eight bad inputs are numbered": (_EVERY + "test_each_case_has_a_test_or_a_sentence_and_none_has_both",),
    "13, 14: do not apply yet": (_NOT_THERE,),
    "55: does not apply yet": (_NOT_THERE,),
    "66: does not apply yet": (_NOT_THERE,),
    "69, 70, 76, 78, 79, 80, 83: tested on a booted host": (
        "lab/configs.py: the run fails, and nothing was written",
        "lab/configs.py: nginx says why",
        "lab/configs.py: every other byte is as it was",
        _LAB + "the exact bytes, owners and modes are back",
        _LAB + "it writes nothing",
        _LAB + "a second run changes nothing",
        _LAB + "a third run changes nothing",
        _LAB + "the host's files, their owners and modes, and the kernel settings are what they were",
        _LAB + "a second rollback changes nothing",
        _LAB + "a unit that does not stay up after its restart fails the host",
        _LAB + "nothing was restarted, and it says so",
        "lab/trust.py: a second run says that a restart is pending, and changes nothing",
    ),
}


@cache
def _shown_by(path: str) -> frozenset[str]:
    """The tests of a file; of one of the lab, the sentences that it prints."""
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    if path.startswith("lab/"):
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
        said = (call.args[0] for call in calls if call.func.attr == "holds" and call.args)  # type: ignore[attr-defined]  # as filtered
        return frozenset(str(each.value) for each in said if isinstance(each, ast.Constant))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_sentences_end_where_the_next_one_begins() -> None:
    page = "# A page\n\nOne. Two (x.y): two;\ntwo. `three` is.\n\n- Four (4.) or\n  four. (Five `y.z`; five.)\n- 6, 7: six.\n"

    assert ["One.", "Two (x.y): two; two.", "`three` is.", "Four (4.) or four.", "(Five `y.z`; five.)", "6, 7: six."] == sentences(page)


def test_each_sentence_names_tests_or_promises_nothing() -> None:
    begins = (*HELD_BY, *TOLD)

    assert [] == [sentence for sentence in SENTENCES if 1 != sum(sentence.startswith(begin) for begin in begins)]
    assert [] == [begin for begin in begins if 1 != sum(sentence.startswith(begin) for sentence in SENTENCES)]
    assert all(HELD_BY.values())


@pytest.mark.parametrize("named", sorted({each for tests in HELD_BY.values() for each in tests}))
def test_what_a_sentence_names_is_there(named: str) -> None:
    path, _, name = named.partition(": ")

    assert name in _shown_by(path)
