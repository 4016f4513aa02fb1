# HLS project of the circuit 'golden', written by sr2hls.
# sr2hls-digest: DIGEST
#
#   vivado_hls -f build_prj.tcl                  (2020.1 and older)
#   vitis_hls -f build_prj.tcl                   (2020.2 to 2024.2)
#   vitis-run --mode hls --tcl build_prj.tcl     (2025.1 and newer)
#
# Steps are chosen by environment variables, 1 or 0: SR2HLS_CSIM (1), SR2HLS_SYNTH (1), SR2HLS_COSIM (0),
# SR2HLS_EXPORT (0), SR2HLS_IMPL (0: synthesis and place-and-route of the exported RTL by Vivado).
# sr2hls promises latency 1 and II 1 at 5 ns by its own schedule.
# Vivado HLS and Vitis HLS have not been run on this file by its authors.

proc wanted {step default} {
    set name SR2HLS_[string toupper $step]
    if {[info exists ::env($name)]} { return [expr {$::env($name) ne "0"}] }
    return $default
}

cd [file dirname [file normalize [info script]]]
open_project -reset golden_prj
set_top golden
add_files golden.cpp
add_files -tb golden_test.cpp
add_files -tb golden_vectors.txt
open_solution -reset solution1
set_part {PART}
create_clock -period 5 -name default

if {[wanted csim 1]} { csim_design }
if {[wanted synth 1] || [wanted cosim 0] || [wanted export 0] || [wanted impl 0]} { csynth_design }
if {[wanted cosim 0]} { cosim_design }
if {[wanted impl 0]} {
    export_design -flow impl -rtl verilog -format ip_catalog
} elseif {[wanted export 0]} {
    export_design -rtl verilog -format ip_catalog
}
close_project
exit
