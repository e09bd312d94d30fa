"""SECURITY.md says only what a test shows: each of its guarantees names tests that hold it, and the tests are there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
GUARANTEES = [
    " ".join(item.split())
    for item in re.split(r"^- ", (TESTS.parent / "SECURITY.md").read_text("utf-8").partition("## Cases")[0], flags=re.MULTILINE)[1:]
]

# How a guarantee begins, and the tests of each of its sentences.
HELD_BY = {
    "Nothing from a host, a repository or a rule is executed": (
        "security/test_system_calls.py: test_case_88_no_command_connects_runs_or_writes_anything_else",
        "security/test_system_calls.py: test_what_a_plan_is_applied_with_and_git_are_the_only_programs_that_are_run",
        "security/test_rules.py: test_cases_33_and_34_a_condition_is_words_and_nothing_is_worked_out",
        "security/test_rules.py: test_case_39_a_rule_brings_no_code",
    ),
    "A second name (hard link)": ("trees/test_directory.py: test_a_second_name_of_a_file_outside_is_a_file_of_the_host",),
    "A person's rules": (
        "rules/test_own_rules.py: test_a_case_file_that_is_a_link_is_neither_read_nor_written",
        "rules/test_grammar.py: test_what_is_no_file_of_the_folder_is_not_read",
        "rules/test_grammar.py: test_text_that_would_steer_a_terminal_or_hide_is_refused",
        "rules/test_grammar.py: test_what_a_rule_may_not_do_is_told_with_its_place",
        "security/test_rules.py: test_case_35_a_message_has_fields_of_a_list_and_no_ways_into_them",
        "security/test_rules.py: test_case_37_a_rule_that_would_take_long_is_stopped_and_named",
    ),
    "No path outside the given root is opened": (
        "trees/test_directory.py: test_nothing_outside_the_root_is_opened",
        "trees/test_directory.py: test_special_files_are_said_and_never_waited_for",
        "trees/test_directory.py: test_case_7_a_device_is_never_opened",
        "security/test_hosts.py: test_cases_3_4_and_6_no_link_leads_out_of_the_host",
        "security/test_hosts.py: test_case_7_a_pipe_and_a_socket_are_not_read",
    ),
    "An archive is never unpacked to disk": (
        "security/test_system_calls.py: test_case_88_no_command_connects_runs_or_writes_anything_else",
        "trees/test_archive.py: test_cases_1_2_9_and_12_what_is_hostile_or_damaged_is_one_clear_line",
        "trees/test_archive.py: test_case_5_a_second_name_has_the_bytes_of_the_first_and_reaches_nothing_else",
        "trees/test_archive.py: test_case_8_a_bomb_is_stopped_at_its_bound",
        "trees/test_archive.py: test_case_9_an_archive_cut_anywhere_is_truncated_and_nothing_of_it_counts",
        "trees/test_archive.py: test_case_10_members_beyond_the_number_that_is_read_are_said",
    ),
    "The `portwright` command loads no code": (
        "security/test_tool.py: test_case_84_no_code_and_no_configuration_of_the_working_directory_counts",
    ),
    "Files that contain only secrets": (
        "trees/test_secret_files.py: test_a_file_of_secrets_is_not_opened_and_that_is_said",
        "security/test_secrets.py: test_case_53_an_include_that_names_a_key_file_is_not_opened",
        "security/test_secret_places.py: test_case_53_a_file_of_nothing_but_secrets_is_not_opened_nor_a_copy_of_it",
    ),
    "No network connection is made, and programs are started": (
        "security/test_system_calls.py: test_case_88_no_command_connects_runs_or_writes_anything_else",
        "security/test_system_calls.py: test_what_a_plan_is_applied_with_and_git_are_the_only_programs_that_are_run",
        "cli/test_comparing.py: test_nothing_that_a_checkouts_config_names_is_run",
        "security/test_system_calls.py: test_case_88_a_comparison_runs_git_and_nothing_of_the_checkout",
        "audit/test_verifying.py: test_nothing_can_be_written_reached_or_run_but_this_machines_programs",
    ),
    "The collector (`playbooks/collect.sh`) changes nothing": (
        "fleet/test_collector.py: test_no_secret_leaves_the_host",
        "fleet/test_crossed_out.py: test_case_51_no_secret_of_any_place_is_in_a_snapshot",
        "fleet/test_audit.py: test_no_answer_is_kept_with_a_secret_in_it",
        "fleet/test_audit.py: test_what_a_host_answers_lies_in_no_file_before_its_secrets_are_crossed_out",
        "fleet/test_collector.py: test_pipes_sockets_and_large_files_are_not_waited_for_and_told_where_they_are_asked_for",
        "fleet/test_collector.py: test_odd_names_and_links_that_lead_out_bring_nothing_from_outside",
        "fleet/test_collector.py: test_a_collector_that_was_cut_short_leaves_no_archive_that_counts",
        "fleet/test_collector.py: test_a_collector_that_hangs_is_ended",
        "fleet/test_collector.py: test_the_collector_writes_nothing_but_its_own_folder",
        "fleet/test_collector.py: test_a_snapshot_is_its_owners_only_and_is_read_as_the_host",
        "fleet/test_audit.py: test_an_inventory_is_collected_checked_and_none_is_forgotten",
    ),
    "Only the files that an option names are written": (
        "security/test_system_calls.py: test_case_88_no_command_connects_runs_or_writes_anything_else",
        "security/test_outputs.py: test_case_49_a_report_does_not_go_through_a_link",
        "security/test_outputs.py: test_case_49_no_directory_below_the_working_directory_is_reached_through_a_link",
        "security/test_outputs.py: test_case_49_nor_below_another_checkout_or_an_input",
        "security/test_outputs.py: test_what_is_written_is_on_disk_before_it_takes_the_place_of_the_old",
        "security/test_outputs.py: test_a_plan_lands_together_or_not_at_all",
        "security/test_outputs.py: test_a_signal_between_two_files_of_a_plan_waits_for_all_three",
    ),
    "Files, lines, depths, links and includes have limits": (
        "hostile/test_limits.py: test_what_is_left_out_is_said_and_makes_it_incomplete",
        "hostile/test_limits.py: test_a_limit_is_used_where_it_is_said_or_there_is_a_sentence_why_not",
        "trees/test_directory.py: test_forty_links_are_followed_and_not_one_more",
        "trees/test_directory.py: test_a_large_file_is_refused_with_its_limit",
        "security/test_parsers.py: test_case_23_files_that_include_each_other_are_said",
        "hostile/test_limits.py: test_what_is_looked_at_in_a_repository_has_a_budget_whatever_it_turns_out_to_be",
        "cli/test_comparing.py: test_a_revision_of_few_objects_and_very_many_files_is_not_read",
    ),
    "What comes from a host is escaped in text reports": (
        "security/test_terminal.py: test_case_42_no_output_holds_a_control_an_invisible_character_or_invalid_text",
        "security/test_reports.py: test_case_43_no_line_of_a_report_is_a_command_for_the_ci_job_that_logs_it",
        "security/test_reports.py: test_case_43_annotations_are_the_only_commands_and_all_ours",
    ),
    "A report as HTML loads nothing": (
        "reports/test_html.py: test_case_44_no_text_of_a_host_changes_what_the_page_is_made_of",
        "reports/test_html.py: test_case_44_a_script_that_a_host_says_is_shown_and_not_run",
        "reports/test_html.py: test_case_44_the_policy_lets_one_script_and_one_style_run_and_loads_nothing",
    ),
    "Secrets are removed from every report": (
        "security/test_secrets.py: test_case_51_none_of_two_hundred_canaries_is_in_any_output",
        "security/test_secret_places.py: test_case_51_no_canary_of_any_place_is_in_any_output",
        "security/test_secret_places.py: test_case_51_a_secret_is_known_by_the_lines_around_it_and_no_port_is_struck_out",
        "security/test_secret_places.py: test_case_51_no_line_of_a_key_is_shown_however_far_its_beginning_is_above",
        "security/test_secret_places.py: test_case_52_another_secret_in_the_same_place_changes_no_byte",
        "security/test_repository_secrets.py: test_case_51_no_canary_of_a_repository_is_in_any_output_nor_in_that_of_a_comparison",
    ),
    "In a generated playbook the text of the tasks is constant": (
        "fixes/test_playbook.py: test_a_plan_and_its_rollback_hold_the_task_files_word_for_word",
        "fixes/test_playbook.py: test_case_56_ansible_reads_back_every_string_as_it_was_meant",
        "fixes/test_playbook.py: test_case_56_ansible_reads_back_what_stands_in_any_position_of_any_kind",
        "fixes/test_playbook.py: test_case_56_hostile_configs_paths_and_units_are_written_checked_and_put_back_as_they_are",
        "security/test_playbooks.py: test_cases_56_and_58_every_string_of_the_vars_is_marked_as_no_template",
        "security/test_outputs.py: test_case_54_vars_files_are_private_from_the_beginning_whatever_the_umask",
    ),
    "A configuration that nobody named": (
        "audit/test_configuration.py: test_nothing_in_a_host_is_obeyed",
        "audit/test_configuration.py: test_a_file_that_was_found_is_no_link_no_pipe_and_not_endless",
        "cli/test_config.py: test_what_lies_below_the_repository_or_in_another_one_is_not_obeyed",
        "cli/test_config.py: test_a_proposed_change_can_neither_load_rules_nor_read_elsewhere",
    ),
    "An inline allow comment works in a repository only": (
        "rules/test_allowing.py: test_a_comment_on_the_line_or_above_it_accepts_the_finding_with_its_reason",
        "security/test_hosts.py: test_case_38_nothing_inside_a_host_silences_a_finding",
        "reports/test_github.py: test_what_an_input_was_taken_for_is_said_last_though_it_is_sound",
    ),
}


@cache
def _tests_of(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_each_guarantee_names_tests_and_nothing_else_does() -> None:
    held = [[begin for begin in HELD_BY if guarantee.startswith(begin)] for guarantee in GUARANTEES]

    assert [1] * len(HELD_BY) == [len(each) for each in held]


@pytest.mark.parametrize("named", sorted({each for tests in HELD_BY.values() for each in tests}))
def test_what_a_guarantee_names_is_there(named: str) -> None:
    path, _, name = named.partition(": ")

    assert name in _tests_of(path)
