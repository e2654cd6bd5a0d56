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
        super(oneLine(message), cause);
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

    /** Servers word some messages: nothing of them may move the cursor or start a line. */
    static String oneLine(String text) {
        StringBuilder line = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean control = Character.isISOControl(c) || c == '\u2028' || c == '\u2029';
            line.append(control ? ' ' : c);
        }
        return line.toString().strip();
    }
}
