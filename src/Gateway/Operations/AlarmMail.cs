using System.Globalization;
using System.Text;
using Exchange.Adapters.Mail;

namespace Exchange.Gateway.Operations;

/// <summary>One mail to each address, through the gateway's relay. It says what, to whom it happened and what to do, in both languages; never content.</summary>
sealed class AlarmMail(IReadOnlyList<string> addresses, string origin, MailNotice notice) : IAlarmTarget
{
    public string Name => "mail";

    public async Task<string?> TellAsync(IReadOnlyList<ToldAlarm> alarms, CancellationToken cancel)
    {
        var worst = alarms.MinBy(a => a.Alarm.Code is AlarmCode.Over or AlarmCode.BreakerClosed ? 1 : 0)!.Alarm;
        var subject = $"[{origin}] {worst.Code}{(worst.Office is null ? "" : " " + worst.Office)}{(alarms.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" +{alarms.Count - 1}"))}";
        string? failed = null;
        // One address that fails does not keep the others from being told; all are tried again, under the same Message-ID.
        foreach (var address in addresses) failed = await notice.SendAsync(address, alarms[^1].Id, subject, Text(alarms), cancel) ?? failed;
        return failed;
    }

    static string Text(IReadOnlyList<ToldAlarm> alarms)
    {
        var text = new StringBuilder();
        foreach (var (_, time, alarm) in alarms)
        {
            var words = AlarmWords.Of(alarm.Code);
            text.Append(CultureInfo.InvariantCulture, $"{time.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z  {alarm.Code}  {alarm.Office ?? "-"}  {alarm.Detail}\n{words.En}\n  {words.ToDoEn}\n{words.Vi}\n  {words.ToDoVi}\n\n");
        }
        return text.Append("docs/operations.md\n").ToString();
    }
}
