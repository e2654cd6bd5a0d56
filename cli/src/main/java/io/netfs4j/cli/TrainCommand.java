// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import picocli.CommandLine.Command;

import java.util.List;
import java.util.concurrent.Callable;

/** Loads the classes that every command needs: {@code ./netfs} makes an archive of them. */
@Command(name = "train", hidden = true, description = "Loads classes for the start-up archive.")
final class TrainCommand implements Callable<Integer> {
    @Override
    public Integer call() throws Exception {
        Backends.help();
        MountCounts counters = new MountCounts(0, 0, 0, 0, 0, 0, 0);
        String line = ControlMessages.write(ControlMessages.Answer.of(counters));
        ControlMessages.read(line, ControlMessages.Answer.class);
        ControlMessages.write(new MountStatus.Listing(List.of()));
        LogFile.begin(null, "error");
        Posix.watched();
        return ExitCode.OK.number();
    }
}
