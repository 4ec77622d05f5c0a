/* Into a case and out of it. */
#include "oracle.h"

    .intel_syntax noprefix

/* Where code arrives that runs to its end: its jump here changes nothing. At a fixed address, see oracle.ld. Data
 * segments may have been changed by the case: then the first two instructions fault, with nothing lost, and the signal
 * handler does the rest. */
    .section .exit, "ax"
    .globl exit_point, exit_end
exit_point:
    mov [saved_eax], eax
    mov eax, ss:[saved_esp]
    mov eax, [current]
    mov [eax + RECORD_REGISTERS + 4], ecx
    mov [eax + RECORD_REGISTERS + 8], edx
    mov [eax + RECORD_REGISTERS + 12], ebx
    mov [eax + RECORD_REGISTERS + 16], esp
    mov [eax + RECORD_REGISTERS + 20], ebp
    mov [eax + RECORD_REGISTERS + 24], esi
    mov [eax + RECORD_REGISTERS + 28], edi
    mov esp, [saved_esp]
    pushfd
    pop dword ptr [eax + RECORD_EFLAGS]
    mov ecx, [saved_eax]
    mov [eax + RECORD_REGISTERS], ecx
    mov [eax + RECORD_SELECTORS], es
    mov [eax + RECORD_SELECTORS + 2], cs
    mov [eax + RECORD_SELECTORS + 4], ss
    mov [eax + RECORD_SELECTORS + 6], ds
    mov [eax + RECORD_SELECTORS + 8], fs
    mov [eax + RECORD_SELECTORS + 10], gs
    mov dword ptr [eax + RECORD_EIP], offset exit_point
    mov dword ptr [eax + RECORD_VECTOR], VECTOR_END
    fxsave [eax + RECORD_FX]
    jmp leave_record
exit_end:

    .text
/* void run_record(struct record *): returns from leave_record. */
    .globl run_record
run_record:
    push ebp
    push ebx
    push esi
    push edi
    mov [saved_esp], esp
    mov eax, [esp + 20]
    mov ecx, [eax + RECORD_EIP]
    mov [entry], ecx
    fxrstor [eax + RECORD_FX]
    mov ecx, WINDOW_DATA
    mov fs, ecx
    xor ecx, ecx
    mov gs, ecx
    /* Nothing after this changes flags. If it is AC that was set: all accesses are aligned. */
    push dword ptr [eax + RECORD_EFLAGS]
    popfd
    mov ecx, [eax + RECORD_REGISTERS + 4]
    mov edx, [eax + RECORD_REGISTERS + 8]
    mov ebx, [eax + RECORD_REGISTERS + 12]
    mov esp, [eax + RECORD_REGISTERS + 16]
    mov ebp, [eax + RECORD_REGISTERS + 20]
    mov esi, [eax + RECORD_REGISTERS + 24]
    mov edi, [eax + RECORD_REGISTERS + 28]
    mov eax, [eax + RECORD_REGISTERS]
    jmp dword ptr [entry]

/* From the exit or a signal handler: back to the caller of run_record, whatever the case left behind. */
    .globl leave_record
leave_record:
    mov esp, cs:[saved_esp]
    mov ecx, ss
    mov ds, ecx
    mov es, ecx
    push 0x202
    popfd
    pop edi
    pop esi
    pop ebx
    pop ebp
    ret

/* The kernel clears DF, RF and TF for a handler, but not AC. Returning restores AC, but none of the flags that a
 * handler has no business with (ID, NT): those stay as the case has them. */
    .globl signal_entry
signal_entry:
    pushfd
    and dword ptr [esp], ~0x40000
    popfd
    jmp handle_signal

/* int system_call(number, a, b, c, d, e, f). The only places from where calls are allowed. */
    .globl system_call, syscall_begin, syscall_end, signal_return
system_call:
    push ebp
    push ebx
    push esi
    push edi
    mov eax, [esp + 20]
    mov ebx, [esp + 24]
    mov ecx, [esp + 28]
    mov edx, [esp + 32]
    mov esi, [esp + 36]
    mov edi, [esp + 40]
    mov ebp, [esp + 44]
syscall_begin:
    int 0x80
    pop edi
    pop esi
    pop ebx
    pop ebp
    ret
signal_return:
    mov eax, 173    /* rt_sigreturn */
    int 0x80
syscall_end:
    ud2

/* The kernel's stack goes away with everything else it mapped. */
    .globl _start
_start:
    mov esp, offset stack_end
    call oracle_main
    ud2

    .bss
    .balign 16
saved_eax: .skip 4
saved_esp: .skip 4
entry: .skip 4
    .balign 16
    .skip 0x4000
stack_end:
