// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;

/** How a mount comes to its end. One thread has it. */
interface Crash {
    /**
     * Makes what it needs.
     *
     * @param server its parameters, as the fixture prints them
     * @return the remote to be mounted
     */
    String prepare(Path work, Map<String, String> server) throws IOException, InterruptedException;

    /** Where mounts keep their state. */
    Path state();

    /** The options of mounts, besides those that set limits. */
    String options(Random random);

    /** Lets time pass while programs work. */
    void pass(long millis, Random random) throws IOException, InterruptedException;

    /**
     * Ends the mount's process.
     *
     * @return whether what was not forced may be lost
     */
    boolean strike(CrashedMount mount, Random random) throws IOException, InterruptedException;

    /** Has all back that mounts need; what ran when it struck has ended. */
    void recover() throws IOException, InterruptedException;

    /** Takes away what it made. */
    void close() throws IOException, InterruptedException;

    /** Commands that take away what is left of it after a run that failed, each after "; ". */
    String leftOver();

    /**
     * Words for the report, besides those that every crash has.
     *
     * @param bytesHere promised, and found on this machine alone after losses of power
     */
    String report(long bytesHere);
}
