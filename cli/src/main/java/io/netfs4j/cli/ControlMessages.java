// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import org.jspecify.annotations.Nullable;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.util.List;

/**
 * What a command and the process of a mount say to each other over its control socket: one JSON
 * object a line. A command sends one {@link Request}; the process answers with lines of {@link
 * Answer}, the last of which has a status or an outcome.
 */
final class ControlMessages {
    /** Longer lines are refused: nobody sends them. */
    static final int LINE_CHARS_MAX = 4 << 20;

    /** How many files an answer names; the message says how many there are. */
    static final int FILES_MAX = 10_000;

    private static final JsonMapper JSON =
            JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

    private ControlMessages() {}

    /** What is asked for. */
    enum Verb {
        /** Answered by one status. */
        STATUS,
        /** Answered by progress, then one outcome. */
        UNMOUNT
    }

    /**
     * What a command asks.
     *
     * @param discard whether bytes that cannot be saved are given up
     * @param timeoutMillis for how long to wait; negative without end
     * @param leave whether what is not on the server then is left to the next mount; null from a
     *     command of an earlier build, which does not know of that
     */
    record Request(Verb verb, boolean discard, long timeoutMillis, @Nullable Boolean leave) {
        boolean leaves() {
            return leave != null && leave;
        }
    }

    /** One line of an answer: exactly one of the three is there. */
    record Answer(
            @Nullable MountStatus status,
            @Nullable MountCounts progress,
            @Nullable Outcome outcome) {
        static Answer of(MountStatus status) {
            return new Answer(status, null, null);
        }

        static Answer of(MountCounts progress) {
            return new Answer(null, progress, null);
        }

        static Answer of(Outcome outcome) {
            return new Answer(null, null, outcome);
        }
    }

    /**
     * How an unmount ended.
     *
     * @param code as {@link ExitCode#number()}
     * @param message one line
     * @param files what is not on the server; given up if so asked, else kept
     */
    record Outcome(int code, String message, List<Unsaved> files) {
        static Outcome of(ExitCode code, String message, List<Unsaved> files) {
            return new Outcome(
                    code.number(), message, files.subList(0, Math.min(files.size(), FILES_MAX)));
        }
    }

    static String write(Object message) {
        return JSON.writeValueAsString(message);
    }

    static <T> T read(String line, Class<T> type) throws IOException {
        try {
            T message = JSON.readValue(line, type);
            if (message != null) {
                return message;
            }
        } catch (JacksonException e) {
            throw new IOException("not understood: " + e.getOriginalMessage(), e);
        }
        throw new IOException("empty message");
    }
}
