#!/usr/bin/perl
use IO::Socket::INET;

my $server = IO::Socket::INET->new(
    LocalPort => 7000,
    Listen    => 5,
) or die $@;
while (my $client = $server->accept) {
    print $client "hello\n";
}
