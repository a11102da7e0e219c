"""The cases: which programs there are, which guarantee forbids what they do, and how they end.

An `acts` entry names acts of hostile/: each is done, or not. A `program` runs until something ends it, and names
the verdicts it may end with where its guarantee is enforced. What a guarantee is worth in a tier is not written
here: the report of the tier says it, and the runs have to agree.
"""
import dataclasses

MIB = 1 << 20

# Of every run, if a case does not say otherwise.
LIMITS = {"memory_bytes": 200 * MIB, "processes": 32, "scratch_bytes": 16 * MIB, "scratch_files": 1000,
          "output_bytes": 1 * MIB, "descriptors": 256}

WORKS = ""  # in place of a guarantee: it means no harm, and has to work

# Why an act may fail although nothing is in its way; checked in a run without a sandbox.
ROOT = "only root may"
USER = "only a user may: root would do it to the machine"
KERNEL = "the kernel may lack it"
NEVER = "the kernel never lets it"
RACE = "it is a race, which may be lost"


@dataclasses.dataclass(frozen=True)
class Attack:
    case: int
    name: str
    guarantee: str
    ends: tuple = ()         # a program: its verdicts, where the guarantee is enforced
    otherwise: tuple = ()    # a program: those where it is not; empty: the same
    apart: tuple = ("exception",)  # besides, where the evaluator is another process: it sees what the other one raised
    policy: tuple = ()       # limits that differ, as (name, value) pairs
    timeout_ms: int = 60000
    bare: str = ""           # why it may fail without a sandbox
    paths: tuple = ("cold", "warm", "split")
    tries: str = ""          # what it says must hold, besides: see checks.py
    long: bool = False       # too long for the quick form
    host_sees: bool = False  # it is done when the host finds something changed

    @property
    def is_program(self):
        return bool(self.ends)


TITLES = {
    1: "read what is private", 2: "write what is not ours", 3: "change modes, owners, times, attributes",
    4: "look around", 5: "links, dots and races", 6: "descriptors that leaked", 7: "magic links of /proc",
    8: "write evaluator, byte code, libraries", 9: "files of the kernel", 10: "devices and mounts",
    11: "open by handle", 12: "traps in scratch and artifacts", 13: "TCP, UDP, ICMP", 14: "other socket families",
    15: "sockets of other programs", 16: "sockets past socket()", 17: "foreign and unknown calls",
    18: "memory and descriptors of others", 19: "signals to others", 20: "too many processes and threads",
    21: "daemon that outlives", 22: "fork races, brothers, vfork", 23: "disguises", 24: "too much memory",
    25: "reserve 64 GiB", 26: "stack overflow", 27: "never end", 28: "deaf to signals", 29: "CPU in grandchildren",
    30: "one call that does not return", 31: "limits and priorities", 32: "too much disk", 33: "too much output",
    34: "terminals", 35: "kernel keys", 36: "messages to siblings", 37: "new namespaces",
    38: "calls for administrators", 39: "privileges", 40: "new code", 41: "sudden ends", 42: "printed scores",
    43: "forged results", 44: "patched evaluators", 45: "state for the next one", 46: "odd results",
    47: "pickles", 48: "random numbers", 49: "honest: processes and threads", 50: "honest: threads at import",
    51: "honest: files", 52: "evaluator edited, server killed", 53: "parent killed", 54: "thousands in a row",
    55: "host with threads", 56: "compilers", 57: "late and broken results", 58: "secrets",
    59: "features missing", 60: "exhausted host", 61: "siblings", 62: "programs that confine themselves",
}

ATTACKS = []


def acts(case, guarantee, names, **how):
    ATTACKS.extend(Attack(case, name, guarantee, **how) for name in names.split())


def program(case, guarantee, names, ends, **how):
    for key in {"otherwise", "apart"} & how.keys():
        how[key] = tuple(how[key].split())
    ATTACKS.extend(Attack(case, name, guarantee, tuple(ends.split()), **how) for name in names.split())


def limits(**what):
    return tuple(sorted(what.items()))


# Of honest programs; and with a directory of the host that stays writable.
PLENTY = limits(memory_bytes=2048 * MIB, processes=128, scratch_bytes=256 * MIB)
WRITABLE = limits(memory_bytes=2048 * MIB, writable=1)

# ---- files ----

acts(1, "fs_read", "read_hidden read_key read_mapped run_hidden")
acts(1, "fs_read", "read_shadow", bare=ROOT)
acts(1, "proc_see", "read_other_process_environment")
acts(2, "fs_write", """append_hidden append_shown create_hidden create_shown truncate_shown truncate_hidden
     open_truncating unlink_shown unlink_hidden rename_shown rename_hidden make_directory_shown
     make_directory_hidden write_mapped make_symlink_shown make_fifo_shown bind_socket_shown""")
acts(3, "fs_meta", """chmod_shown chmod_hidden chown_shown utime_shown utime_hidden setxattr_shown setxattr_hidden
     removexattr_shown""")
acts(3, "fs_meta", "setxattrat_shown", bare=KERNEL)
acts(4, "fs_meta", "stat_hidden list_hidden access_oracle readlink_hidden list_home getxattr_hidden")
acts(5, "fs_read", "through_symlink through_own_link through_dots through_working_directory")
acts(5, "fs_read", "through_swapped_link", bare=RACE)
acts(5, "fs_write", "through_hard_link through_rename")
acts(6, "secrets", "leaked_directory leaked_file leaked_by_name descriptors_by_mail")
acts(7, "fs_read", "root_of_parent directory_of_parent root_of_init own_root")
acts(7, "fs_write", "program_under_us")
acts(7, "fs_write", "interpreter", bare=NEVER)
acts(8, "fs_write", "write_evaluator write_byte_code", host_sees=True)
acts(8, "fs_write", "write_library create_in_libraries", bare=ROOT)
acts(9, "fs_write", "core_pattern drop_caches kernel_settings control_groups devices", bare=ROOT)
acts(9, "fs_write", "sysrq own_score_to_the_killer", bare=KERNEL)
acts(10, "syscalls", "mount_over unmount_root")
acts(10, "syscalls", "mount_memory pivot change_root open_file_system clone_tree set_mount_attributes", bare=ROOT)
acts(10, "privileges", "make_device", bare=ROOT)
acts(11, "syscalls", "open_by_handle", bare=ROOT)
acts(12, WORKS, "leave_traps", tries="scratch_is_cleared")
program(12, "fs_write", "many_artifacts large_artifact odd_artifacts",
        "ok bad_result protocol_violation exception", paths=("warm",), tries="driver_is_prompt")

# ---- network ----

acts(13, "net_inet", "tcp_to_host tcp_to_own_address udp_to_host udp_to_metadata dns listen_for_others")
acts(13, "net_inet", "tcp6_to_host ping", bare=KERNEL)
acts(13, "net_inet", "raw_socket", bare=ROOT)
acts(13, WORKS, "loopback_of_its_own", policy=limits(network="loopback"), tries="needs_network_namespace")
acts(13, "net_inet", "tcp_to_host udp_to_host", policy=limits(network="loopback"))
acts(14, "net_other", "vsock kernel_crypto bluetooth can_bus", bare=KERNEL)
acts(14, "net_other", "netlink")
acts(14, "net_other", "packet express_data_path", bare=ROOT)
acts(15, "net_unix", "unix_hidden unix_shown unix_abstract unix_abstract_datagram unix_through_link")
acts(16, "syscalls", "ring socket_of_i386", bare=KERNEL)

# ---- calls ----

acts(17, "syscalls", "int80 x32 young_number", bare=KERNEL)
acts(17, "syscalls", "unknown_number", bare=NEVER, tries="is_absent")
program(17, "syscalls", "foreign_call", "syscall_killed", otherwise="ok syscall_killed exited")

# ---- processes ----

acts(18, "proc_see", """trace trace_gently read_memory write_memory open_memory memory_of_driver steal_descriptor
     steal_descriptor_of_driver compare""")
acts(18, "proc_see", "advise", bare=ROOT)
acts(18, "proc_see", "command_line environment list_processes process_exists priority_of_another")
acts(19, "proc_signal", """signal_victim stop_victim signal_driver signal_by_descriptor signal_thread queue_signal
     signal_by_file signal_group signal_everybody""")
program(19, "proc_signal", "kill_everybody kill_parent",
        "ok exited signalled no_result exception sandbox_error", tries="victim_is_well")
program(19, "", "kill_group", "signalled", paths=("warm",))
program(19, "", "stop_parent", "wall_timeout exited exception sandbox_error", timeout_ms=400, tries="ends_in_time")
acts(20, "processes", "fork_many threads_many fork_tree")
program(20, "wall", "forks_and_wait", "wall_timeout proc_limit", timeout_ms=300, tries="ends_in_time")
acts(21, "tree_kill", "daemon", host_sees=True, tries="strays_are_counted")
acts(22, "tree_kill", "brother vfork", host_sees=True)
acts(22, "tree_kill", "relay", host_sees=True)
program(22, "tree_kill", "relay_and_wait", "wall_timeout proc_limit", timeout_ms=300, tries="is_swept_in_time")
acts(23, "tree_kill", "disguise crowd", policy=limits(processes=200), host_sees=True)
program(23, "wall", "crowd_and_wait", "wall_timeout", timeout_ms=700, policy=limits(processes=256),
        tries="gone_in_time")

# ---- memory ----

acts(24, "mem_process", "touch_much touch_heap touch_native touch_shared")
acts(24, "mem_total", "memory_file many_memory_files touch_together")
acts(24, "mem_total", "pipe_buffers", bare=KERNEL)
acts(24, "mem_process", "lock_memory", bare=ROOT)
acts(24, "disk", "fill_memory_files")
acts(25, "mem_process", "reserve", tries="as_the_mechanism_says")
acts(26, WORKS, "recurse_python", tries="raises")
program(26, "", "recurse deep_python", "signalled exception exited", tries="does_not_hang")

# ---- time ----

program(27, "wall", "spin_python spin_native sleep read_input stop stop_native", "wall_timeout", timeout_ms=250,
        tries="ends_in_time")
program(27, "cpu", "spin_python spin_native", "cpu_timeout", otherwise="cpu_timeout wall_timeout", timeout_ms=20000,
        policy=limits(cpu_ms=1000))
program(28, "wall", "spin_deaf spin_deaf_native", "wall_timeout", timeout_ms=250, tries="ends_in_time")
program(28, "cpu", "spin_deaf_native", "cpu_timeout", otherwise="cpu_timeout wall_timeout", timeout_ms=20000,
        policy=limits(cpu_ms=1000))
program(29, "cpu", "many_short_lives", "cpu_timeout", otherwise="cpu_timeout wall_timeout", timeout_ms=20000,
        policy=limits(cpu_ms=1000))
program(30, "wall", "long_regex long_number long_decompression long_sort long_call", "wall_timeout",
        timeout_ms=250, tries="ends_in_time")

# ---- limits, disk, output ----

acts(31, "proc_signal", """limit_victim limits_of_victim nice_victim bind_victim schedule_victim
     disk_priority_of_victim""")
acts(31, "privileges", "nice_up real_time real_time_disk", bare=ROOT)
acts(31, "privileges", "raise_limit", bare=KERNEL)
acts(31, "proc_signal", "nice_user", bare=USER)
acts(32, "disk", "fill_scratch fill_home fill_in_pieces many_files preallocate deep_directories",
     tries="scratch_is_cleared")
program(33, "output", "flood", "ok output_limit no_result", tries="output_is_cut")
program(33, "output", "flood_long", "ok output_limit wall_timeout no_result", tries="output_is_cut", long=True)
program(33, "output", "rubbish close_output fill_errors pass_output_on", "ok", paths=("cold",),
        tries="output_is_clean")

# ---- the rest of the kernel ----

acts(34, "terminal", "open_terminal write_to_terminal type_into_terminal take_foreground type_into_standard",
     tries="terminal_is_silent")
acts(34, "terminal", "type_with_high_bits paste_into_console line_discipline", bare=ROOT)
acts(35, "ipc", "leave_key read_keyring find_key")
acts(36, "ipc", """shared_memory semaphores message_queue posix_queue leave_in_memory_files lease directory_notice
     find_shared_memory""")
acts(36, "ipc", "find_in_memory_files", policy=limits(descriptors=200))  # in another run than the one that left it
acts(37, "syscalls", "unshare_user unshare_net clone_user clone3_user enter_namespace", bare=KERNEL)
acts(37, "syscalls", "unshare_mounts", bare=ROOT)
acts(38, "syscalls", """performance_counters user_faults local_descriptors watch_file_system hidden_memory
     move_pages_of_another personality_without_layout quotas""", bare=KERNEL)
acts(38, "syscalls", """berkeley_filter restart kernel_log swap_on swap_off accounting set_clock set_time_zone
     host_name domain_name hang_up""", bare=ROOT)
acts(38, "syscalls", "port_level load_kernel load_module load_module_by_file unload_module", bare=KERNEL)
acts(39, "privileges", "set_user_id gain_by_exec")
acts(39, "privileges", "become_root become_other be_root have_capabilities give_capability groups_of_others",
     bare=ROOT)
acts(39, "privileges", "make_set_user_id")
acts(39, "privileges", "switch_user", bare=KERNEL)
acts(40, WORKS, "run_memory_file run_from_scratch writable_code code_made_later")
acts(40, "syscalls", "run_memory_file writable_code", policy=limits(profile="strict"), tries="in_strict")

# ---- ends and results ----

acts(42, "secrets", "read_output_of_evaluator", paths=("split",), bare=NEVER)

program(41, "", "exit_at_once", "ok no_result exited", tries="no_score")
program(41, "", "exit_with_status exit_politely", "exited exception", tries="no_score")
program(41, "", "interrupt", "exited signalled exception", tries="no_score")
program(41, "", "abort null kill_self terminate_self", "signalled", tries="no_score", apart="")
APART = ("warm", "split")
program(42, "score", "print_score", "ok", paths=APART, tries="honest_score")
program(43, "score", "forge_and_leave result_in_pieces", "protocol_violation no_result", apart="",
        otherwise="ok protocol_violation no_result", paths=APART, tries="honest_score_if_enforced")
program(43, "", "forge_and_return", "protocol_violation", paths=APART, tries="no_score")
program(43, "", "forge_a_length forge_rubbish half_a_result",
        "protocol_violation no_result bad_result wall_timeout exception", timeout_ms=500, paths=APART,
        tries="no_score")
program(44, "score", "patch_libraries", "ok", apart="protocol_violation exception",
        otherwise="ok bad_result exception protocol_violation", paths=APART, tries="honest_score_if_enforced")
program(44, "score", "patch_caller patch_objects patch_clock", "ok",
        otherwise="ok bad_result exception protocol_violation", paths=APART, tries="honest_score_if_enforced")
program(46, "", """result_nan result_inf result_minus_inf result_overflow result_numpy_nan""",
        "nonfinite ok bad_result", paths=("warm",), tries="never_first")
program(46, "", """result_minus_zero result_float32 result_bool result_huge_int result_array result_str
        result_odd_keys result_surrogates result_lying result_number_class result_ordered result_complex
        result_raising result_deep result_large result_cycle""",
        "ok nonfinite bad_result exception protocol_violation", paths=("warm",), tries="never_first")
program(46, "", "result_many", "ok nonfinite bad_result exception protocol_violation", paths=("warm",),
        tries="never_first", long=True)
program(46, "", "result_none result_number result_true result_list result_generator result_exception",
        "bad_result", paths=("warm",), tries="no_score")
program(46, "", "result_empty", "ok bad_result nonfinite", paths=("warm",), tries="never_first")
program(46, "wall", "result_spinning", "wall_timeout bad_result", timeout_ms=500, paths=("warm",), tries="never_first")
program(47, "", "pickle_result pickle_artifact", "ok bad_result exception", paths=("warm",),
        tries="nothing_unpickled", policy=WRITABLE)

# ---- what means no harm ----

acts(49, WORKS, """use_subprocess use_interpreter use_thread_executor use_threads use_asyncio use_numpy
     use_sockets use_compiler""", policy=PLENTY)
acts(49, WORKS, "use_fork_pool use_spawn_pool use_queue use_shared_memory use_process_executor",
     tries="needs_memory_files", policy=PLENTY)
acts(49, WORKS, "use_forkserver_pool", tries="needs_unix_sockets", policy=PLENTY)
acts(51, WORKS, "use_temporary_files use_home use_devices use_standard_streams use_proc use_names", policy=PLENTY)
acts(51, WORKS, "read_beside_evaluator", policy=PLENTY, paths=("cold", "warm"))
acts(51, WORKS, "write_writable", policy=WRITABLE)
acts(2, "fs_write", "append_shown append_hidden truncate_shown unlink_shown", policy=WRITABLE)
acts(51, WORKS, "write_beside_evaluator change_beside_evaluator", tries="needs_overlay", policy=PLENTY,
     paths=("cold", "warm"))
acts(51, "fs_write", "write_beside_evaluator change_beside_evaluator", policy=limits(overlay=0))

# ---- the rest ----

acts(56, "fs_read", "include_hidden assemble_hidden embed_by_linker")
program(56, "wall", "include_without_end macros_without_end",
        "wall_timeout ok exited mem_limit disk_limit exception bad_result", timeout_ms=1000, paths=("cold",),
        tries="ends_in_time")
program(56, "wall", "enormous_object", "wall_timeout ok exited mem_limit disk_limit exception bad_result",
        timeout_ms=1000, paths=("cold",), tries="ends_writing")
program(57, "", "result_held_by_child", "ok", timeout_ms=3000, paths=("warm",), tries="honest_score")
program(57, "", "result_then_threads result_then_exit_functions", "ok wall_timeout", timeout_ms=1000,
        paths=("warm",), tries="never_first")
program(57, "wall", "result_then_hang", "wall_timeout protocol_violation ok", timeout_ms=500, paths=("warm",),
        tries="ends_in_time")
acts(58, "secrets", """key_in_environment key_in_initial_environment key_in_own_memory key_in_other_environments
     key_of_driver key_in_memory_of_driver key_in_memory_of_parents""")
acts(62, WORKS, "confine_by_filter")
acts(62, WORKS, "confine_by_landlock", tries="needs_landlock")

# Cases that are no single program are in scenes.py.
