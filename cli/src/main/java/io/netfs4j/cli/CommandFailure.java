// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.base.FsException;

/** Why a command ends without having done its work: one line with the remedy, and the exit code. */
final class CommandFailure extends Exception {
    private static final long serialVersionUID = 1L;

    private final ExitCode code;

    CommandFailure(ExitCode code, String message) {
        this(code, message, null);
    }

    private CommandFailure(
            ExitCode code, String message, @org.jspecify.annotations.Nullable Throwable cause) {
        super(Printable.of(message.strip()), cause);
        this.code = code;
    }

    static CommandFailure of(FsException e) {
        return new CommandFailure(ExitCode.of(e), String.valueOf(e.getMessage()), e);
    }

    ExitCode code() {
        return code;
    }

    /** The message as one line without control characters, whoever worded it. */
    String line() {
        return String.valueOf(getMessage());
    }
}
