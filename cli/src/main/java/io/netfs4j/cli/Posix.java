// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The two C functions that a command needs and the JDK does not offer. */
final class Posix {
    private static final int STDERR = 2;

    private Posix() {}

    /** Leaves the caller's session and terminal, so that neither's end reaches this process. */
    static void leaveSession() {
        // Fails only for the leader of a process group, which has nobody to leave.
        int unused = call("setsid", FunctionDescriptor.of(ValueLayout.JAVA_INT));
    }

    /** Whether a person watches stderr. */
    static boolean watched() {
        return call(
                        "isatty",
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
                        STDERR)
                == 1;
    }

    private static int call(String name, FunctionDescriptor descriptor, Object... arguments) {
        Linker linker = Linker.nativeLinker();
        MethodHandle function =
                linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
        try {
            return (int) function.invokeWithArguments(arguments);
        } catch (Throwable t) {
            throw new IllegalStateException("cannot call " + name, t);
        }
    }
}
